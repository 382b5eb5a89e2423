import { expectThat } from '@firelight/tensor/extend';
import { isFile, locateFolder, whereToPutFiles } from '../archive/files.ts';
import { expectOptions, expectText } from '../core/check.ts';
import { DataError } from '../core/errors.ts';
import { CIFAR10_FORMS } from './archives.ts';

/** A folder with CIFAR-10 files (or one file that was asked for), and what led to it. */
export interface FoundCifar10 {
  readonly path: string;
  /** `'explicit'`, the name of the environment variable, or the candidate as it was given. */
  readonly origin: string;
}

const VARIABLE = 'FIRELIGHT_CIFAR10';

/**
 * Looks for CIFAR-10: the explicit path, else `FIRELIGHT_CIFAR10`, else the first candidate that has
 * it; null if none has. A path that was asked for, by argument or variable, is never replaced.
 *
 * @param options `explicit` is a path the user gave; `env` is where the variable is looked up,
 *   default `process.env`; `candidates` are default `./data` and `../shared/cifar-10`
 * @throws ValueError if an option is none of its kind
 * @throws DataError if the explicit path or that of the variable has no CIFAR-10 file
 */
export async function findCifar10(
  options: {
    readonly explicit?: string | undefined;
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly candidates?: readonly string[];
  } = {},
): Promise<FoundCifar10 | null> {
  const {
    explicit,
    env = process.env,
    candidates = ['./data', '../shared/cifar-10'],
  } = expectOptions('findCifar10', options);
  if (explicit !== undefined) expectText('findCifar10: explicit', explicit);
  expectOptions('findCifar10: env', env);
  const isRight = Array.isArray(candidates) && candidates.every((path) => typeof path === 'string');
  expectThat(isRight, 'findCifar10', 'candidates', 'a list of paths', candidates);
  if (explicit !== undefined) return demand(explicit, 'explicit');
  const fromVariable = env[VARIABLE];
  if (fromVariable !== undefined && fromVariable !== '') return demand(fromVariable, VARIABLE);
  for (const candidate of candidates) {
    const path = await locateFolder(candidate, CIFAR10_FORMS);
    if (path !== null) return { path, origin: candidate };
  }
  return null;
}

async function demand(path: string, origin: string): Promise<FoundCifar10> {
  const folder = (await isFile(path)) ? path : await locateFolder(path, CIFAR10_FORMS);
  if (folder === null) {
    const asked = origin === VARIABLE ? `${path} (from ${VARIABLE})` : path;
    throw new DataError(
      `findCifar10: no CIFAR-10 files in ${asked}; ${whereToPutFiles(path, CIFAR10_FORMS)}`,
    );
  }
  return { path: folder, origin };
}
