import { type FindOptions, type FoundFiles, findPublished } from '../published/find.ts';
import { CIFAR10_FORMS } from './archives.ts';

/** A folder with CIFAR-10 files (or one file that was asked for), and what led to it. */
export type FoundCifar10 = FoundFiles;

/**
 * Looks for CIFAR-10: the explicit path, else that of `FIRELIGHT_CIFAR10`, else the first candidate
 * that has it, by default `./data` and `../shared/cifar-10`; null if none has. A path that was asked
 * for, by argument or variable, is never replaced.
 *
 * @throws ValueError if an option is of the wrong type
 * @throws DataError if the explicit path or that of the variable has no CIFAR-10 file
 */
export function findCifar10(options: FindOptions = {}): Promise<FoundCifar10 | null> {
  return findPublished(
    {
      op: 'findCifar10',
      forms: CIFAR10_FORMS,
      variable: 'FIRELIGHT_CIFAR10',
      candidates: ['./data', '../shared/cifar-10'],
    },
    options,
  );
}
