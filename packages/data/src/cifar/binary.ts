import { expectBytes, expectOptions, expectText } from '../core/check.ts';
import { DataError } from '../core/errors.ts';
import { CIFAR_IMAGE_BYTES, CIFAR10_CLASSES } from './constants.ts';
import { CifarRecords } from './records.ts';

/** How a file is named. */
export interface SourceOptions {
  /** Name of the file in messages. */
  readonly source?: string;
}

/** The label bytes with which a record begins. */
export interface BinaryFormat {
  readonly title: string;
  /** Names of the labels and how many values each has; the last one is the class. */
  readonly labels: readonly { readonly name: string; readonly count: number }[];
}

const CIFAR10: BinaryFormat = {
  title: 'CIFAR-10',
  labels: [{ name: 'label', count: CIFAR10_CLASSES.length }],
};

/**
 * Reads CIFAR-10's binary format: records of 1 label byte and 3072 pixel bytes.
 *
 * @throws DataError if there is no record, the last one is cut, or a label is above 9
 * @throws ValueError if `bytes` is none
 * @see https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version"
 */
export function parseCifarBinary(
  bytes: Uint8Array | ArrayBuffer,
  options: SourceOptions = {},
): CifarRecords {
  return parseRecords('parseCifarBinary', bytes, options, CIFAR10);
}

/** Reads records of a format for the function that messages name. */
export function parseRecords(
  op: string,
  data: Uint8Array | ArrayBuffer,
  options: SourceOptions,
  format: BinaryFormat,
): CifarRecords {
  const { source = `${format.title} data` } = expectOptions(op, options);
  expectText(`${op}: source`, source);
  const given = expectBytes(`${op}: bytes`, data);
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  const offset = format.labels.length;
  const stride = offset + CIFAR_IMAGE_BYTES;
  const count = checkSize(bytes.length, stride, source, format);
  const [labels, coarseLabels = null] = format.labels
    .map(({ name, count: classes }, position) => {
      const column = new Uint8Array(count);
      for (let record = 0; record < count; record++) {
        const at = record * stride + position;
        const label = bytes[at];
        if (label >= classes) {
          throw new DataError(
            `${source}: record ${record} at byte ${record * stride} has ${name} ${label}, ` +
              `${format.title} has 0 to ${classes - 1}; the file is damaged or not ` +
              `${format.title} binary`,
          );
        }
        column[record] = label;
      }
      return column;
    })
    .reverse();
  return new CifarRecords({ bytes, offset, stride, labels, coarseLabels, source });
}

/** Number of records in a file of this size. */
function checkSize(size: number, stride: number, source: string, format: BinaryFormat): number {
  const rest = size % stride;
  if (size === 0) {
    const names = format.labels.map(({ name }) => `1 ${name}`).join(', ');
    throw new DataError(
      `${source}: the file is empty, expected records of ${stride} bytes ` +
        `(${names}, ${CIFAR_IMAGE_BYTES} pixels)`,
    );
  }
  if (rest !== 0) {
    throw new DataError(
      `${source}: ${size} bytes are no whole number of ${stride}-byte records; ` +
        `the last one, at byte ${size - rest}, has only ${rest} bytes, so the file is truncated ` +
        `or not ${format.title} binary`,
    );
  }
  return size / stride;
}
