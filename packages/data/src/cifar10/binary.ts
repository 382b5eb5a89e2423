import { ValueError } from '@firelight/tensor';
import { DataError } from '../errors.ts';
import { CIFAR_IMAGE_BYTES, CIFAR_RECORD_BYTES, CIFAR10_CLASSES } from './constants.ts';

/** Records of one CIFAR-10 binary file; the images are views of its bytes, never copies. */
export interface CifarRecords {
  readonly count: number;
  /** Class numbers 0 to 9, one for each record. */
  readonly labels: Uint8Array;
  /**
   * The 3072 bytes of image `index`: 1024 red, 1024 green, 1024 blue, each row by row.
   *
   * @throws ValueError if there is no such record
   */
  image(index: number): Uint8Array;
}

/**
 * Reads CIFAR-10's binary format: records of 1 label byte and 3072 pixel bytes.
 *
 * @param options `source` is the name of the file for error messages
 * @throws DataError if there is no record, the last one is cut, or a label is above 9
 * @see https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version"
 */
export function parseCifarBinary(
  bytes: Uint8Array | ArrayBuffer,
  { source = 'CIFAR-10 data' }: { readonly source?: string } = {},
): CifarRecords {
  const file =
    bytes instanceof ArrayBuffer
      ? new Uint8Array(bytes)
      : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = checkSize(file.length, source);
  const labels = new Uint8Array(count);
  for (let record = 0; record < count; record++) {
    const label = file[record * CIFAR_RECORD_BYTES];
    if (label >= CIFAR10_CLASSES.length) {
      throw new DataError(
        `${source}: record ${record} at byte ${record * CIFAR_RECORD_BYTES} has label ${label}, ` +
          'CIFAR-10 has 0 to 9; the file is damaged or not CIFAR-10 binary',
      );
    }
    labels[record] = label;
  }
  return {
    count,
    labels,
    image(index) {
      if (!Number.isInteger(index) || index < 0 || index >= count) {
        throw new ValueError(`${source}: no image ${index}, there are ${count}, counted from 0`);
      }
      const start = index * CIFAR_RECORD_BYTES + 1;
      return file.subarray(start, start + CIFAR_IMAGE_BYTES);
    },
  };
}

/** Number of records in a file of this size. */
function checkSize(size: number, source: string): number {
  const rest = size % CIFAR_RECORD_BYTES;
  if (size === 0) {
    throw new DataError(
      `${source}: the file is empty, expected records of ${CIFAR_RECORD_BYTES} bytes ` +
        `(1 label, ${CIFAR_IMAGE_BYTES} pixels)`,
    );
  }
  if (rest !== 0) {
    throw new DataError(
      `${source}: ${size} bytes are no whole number of ${CIFAR_RECORD_BYTES}-byte records; ` +
        `the last one, at byte ${size - rest}, has only ${rest} bytes, so the file is truncated ` +
        'or not CIFAR-10 binary',
    );
  }
  return size / CIFAR_RECORD_BYTES;
}
