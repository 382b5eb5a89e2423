import { ValueError } from '@firelight/tensor';
import {
  constant,
  heNormal,
  heUniform,
  normal,
  ones,
  truncatedNormal,
  uniform,
  varianceScaling,
  xavierNormal,
  xavierUniform,
  zeros,
} from './distributions.ts';
import type { Initializer } from './initializer.ts';
import { dirac, identity, orthogonal, sparse } from './structured.ts';

/** Names of mindspore/common/initializer.py, in lower case without underscores. */
const BY_NAME: Readonly<Record<string, () => Initializer>> = {
  normal,
  truncatednormal: truncatedNormal,
  uniform,
  heuniform: heUniform,
  henormal: heNormal,
  xavieruniform: xavierUniform,
  xaviernormal: xavierNormal,
  zeros,
  zero: zeros,
  ones,
  one: ones,
  identity,
  dirac,
  orthogonal,
  sparse,
  variancescaling: varianceScaling,
};

/**
 * The initializer of a name, or of a constant. Case and underscores do not matter: `'he_uniform'`,
 * `'HeUniform'` and `'heuniform'` are the same.
 *
 * @throws ValueError for an unknown name
 */
export function initializerByName(name: string | number): Initializer {
  if (typeof name === 'number') return constant(name);
  const make = BY_NAME[name.toLowerCase().replaceAll('_', '')];
  if (make === undefined) {
    throw new ValueError(
      `initializer: there is no '${name}'; choose one of ${Object.keys(BY_NAME).join(', ')}`,
    );
  }
  return make();
}
