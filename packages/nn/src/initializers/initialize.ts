import {
  defaultGenerator,
  type Generator,
  type Shape,
  type Tensor,
  tensor,
} from '@firelight/tensor';
import { expectGenerator, expectShape } from '@firelight/tensor/extend';
import { initializerByName } from './by-name.ts';
import type { Initializer } from './initializer.ts';

/** An initializer, its name (`'he_uniform'`), or a constant. */
export type InitializerOption = Initializer | string | number;

/**
 * A float32 parameter with its first values.
 *
 * @throws ValueError for a shape of more elements than a tensor can have, or what is no generator
 */
export function initialize(
  option: InitializerOption,
  shape: Shape,
  generator: Generator = defaultGenerator,
): Tensor {
  expectShape('initialize', shape);
  expectGenerator('initialize', generator);
  const initializer = typeof option === 'function' ? option : initializerByName(option);
  return tensor(initializer(shape, generator), { shape, dtype: 'float32', requiresGrad: true });
}
