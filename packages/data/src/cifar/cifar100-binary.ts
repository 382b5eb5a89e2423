import { type BinaryFormat, parseRecords, type SourceOptions } from './binary.ts';
import { CIFAR100_CLASSES, CIFAR100_COARSE_CLASSES } from './cifar100-classes.ts';
import type { CifarRecords } from './records.ts';

const CIFAR100: BinaryFormat = {
  title: 'CIFAR-100',
  labels: [
    { name: 'coarse label', count: CIFAR100_COARSE_CLASSES.length },
    { name: 'fine label', count: CIFAR100_CLASSES.length },
  ],
};

/**
 * Reads CIFAR-100's binary format: records of a coarse label, a fine label and 3072 pixel bytes.
 *
 * @throws DataError if there is no record, the last one is cut, or a label is above 19 or 99
 * @throws ValueError if `bytes` is none
 * @see https://www.cs.toronto.edu/~kriz/cifar.html, "The CIFAR-100 dataset"
 */
export function parseCifar100Binary(
  bytes: Uint8Array | ArrayBuffer,
  options: SourceOptions = {},
): CifarRecords {
  return parseRecords('parseCifar100Binary', bytes, options, CIFAR100);
}
