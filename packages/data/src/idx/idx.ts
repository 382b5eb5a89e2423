import { elementCount } from '@firelight/tensor/extend';
import { expectBytes, expectOptions, expectText } from '../core/check.ts';
import { DataError } from '../core/errors.ts';

/** An array of bytes in IDX, the format of MNIST's files. */
export interface IdxArray {
  /** Lengths of the axes, outermost first. */
  readonly shape: readonly number[];
  /** The elements in row-major order: a view of the file's bytes. */
  readonly data: Uint8Array;
}

/** The dtype of unsigned bytes, the only one that MNIST's files have. */
const UNSIGNED_BYTE = 0x08;
const OTHER_TYPES = new Map([
  [0x09, 'int8'],
  [0x0b, 'int16'],
  [0x0c, 'int32'],
  [0x0d, 'float32'],
  [0x0e, 'float64'],
]);

const GZIP = [0x1f, 0x8b];

/**
 * Reads an IDX file of bytes: `0 0 8 rank`, the length of each axis as a big-endian int32, and the
 * elements.
 *
 * @param options `source` is what errors call the file
 * @throws DataError if it is of another format or element type, or has too few or too many bytes
 * @throws ValueError if it is no bytes at all
 * @see http://yann.lecun.com/exdb/mnist/, "the IDX file format"
 */
export function parseIdx(
  file: Uint8Array | ArrayBuffer,
  options: { readonly source?: string } = {},
): IdxArray {
  const { source = 'IDX file' } = expectOptions('parseIdx', options);
  expectText('parseIdx: source', source);
  const bytes = expectBytes('parseIdx: file', file);
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) {
    const isPacked = GZIP.every((byte, i) => bytes[i] === byte);
    const remedy = isPacked ? 'unpack it with gunzip first' : 'pass a file of MNIST or its kind';
    throw new DataError(`${source}: is no IDX file, which begins with two zeros; ${remedy}`);
  }
  const [, , type, rank] = bytes;
  if (type !== UNSIGNED_BYTE) {
    const name = OTHER_TYPES.get(type) ?? `type 0x${type.toString(16).padStart(2, '0')}`;
    throw new DataError(`${source}: has elements of ${name}; only unsigned bytes are read`);
  }
  const start = 4 + 4 * rank;
  if (bytes.length < start) {
    throw new DataError(
      `${source}: has ${bytes.length} bytes, too few for the lengths of ${rank} axes; fetch it again`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const expected = start + elementCount(shape);
  if (bytes.length !== expected) {
    throw new DataError(
      `${source}: has ${bytes.length} bytes, but an array [${shape.join(', ')}] needs ${expected}; ` +
        'fetch it again',
    );
  }
  return { shape, data: bytes.subarray(start) };
}
