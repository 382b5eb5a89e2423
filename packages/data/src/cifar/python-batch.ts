import { quote } from '@firelight/tensor/extend';
import type { PickleValue } from '@firelight/tensor/formats';
import { expectBytes, expectOptions, expectText } from '../core/check.ts';
import { DataError } from '../core/errors.ts';
import { parseCifarBinary } from './binary.ts';
import { CIFAR_IMAGE_BYTES, CIFAR10_CLASSES } from './constants.ts';
import { NumpyArray, unpickleArrays } from './numpy-pickle.ts';
import { CifarRecords } from './records.ts';

/** With this byte every pickle of protocol 2 begins, and no binary file, since it is no label. */
const PICKLE_START = 0x80;

/**
 * Reads a file of CIFAR-10 in either form, which its first byte tells.
 *
 * @throws DataError if it is neither, cut, or damaged
 */
export function parseCifar10(bytes: Uint8Array, { source }: { source: string }): CifarRecords {
  const parse = bytes[0] === PICKLE_START ? parseCifarPython : parseCifarBinary;
  return parse(bytes, { source });
}

/**
 * Reads a batch of CIFAR-10's python version: a pickled dict whose `data` is an array `[N, 3072]` of
 * bytes and whose `labels` are a list of N numbers. Nothing in the file is run; names of Python
 * classes other than numpy's array are refused. The pixels are views of `bytes`.
 *
 * @param options `source` is the name of the file in messages
 * @throws DataError if the file is cut, damaged, asks for anything else, or a label is above 9
 * @throws ValueError if `bytes` is none
 * @see https://www.cs.toronto.edu/~kriz/cifar.html, "Python / Matlab versions"
 */
export function parseCifarPython(
  bytes: Uint8Array | ArrayBuffer,
  options: { readonly source?: string } = {},
): CifarRecords {
  const { source = 'CIFAR-10 python batch' } = expectOptions('parseCifarPython', options);
  expectText('parseCifarPython: source', source);
  const file = expectBytes('parseCifarPython: bytes', bytes);
  const batch = unpickleArrays(file, source);
  if (!(batch instanceof Map)) throw new DataError(`${source}: holds no dict, so it is no batch`);
  const pixels = checkPixels(batch.get('data'), source);
  const count = pixels.length / CIFAR_IMAGE_BYTES;
  return new CifarRecords({
    bytes: pixels,
    offset: 0,
    stride: CIFAR_IMAGE_BYTES,
    labels: checkLabels(batch.get('labels'), count, source),
    coarseLabels: null,
    source,
  });
}

function checkPixels(array: PickleValue | undefined, source: string): Uint8Array {
  if (!(array instanceof NumpyArray)) {
    throw new DataError(`${source}: has no array 'data', so it is no batch of CIFAR-10`);
  }
  const { shape, type, data } = array;
  const [count, length] = shape;
  const isFull = data.length === count * CIFAR_IMAGE_BYTES && count > 0;
  if (shape.length !== 2 || length !== CIFAR_IMAGE_BYTES || type !== 'u1' || !isFull) {
    throw new DataError(
      `${source}: 'data' must be an array [N, ${CIFAR_IMAGE_BYTES}] of u1, ` +
        `got [${shape.join(', ')}] of ${quote(type)} with ${data.length} bytes`,
    );
  }
  return data;
}

function checkLabels(labels: PickleValue | undefined, count: number, source: string): Uint8Array {
  if (!Array.isArray(labels) || labels.length !== count) {
    const given = Array.isArray(labels) ? `a list of ${labels.length}` : 'none';
    throw new DataError(`${source}: 'labels' must be a list of ${count} numbers, got ${given}`);
  }
  const bad = labels.findIndex(
    (label) => typeof label !== 'number' || !(label >= 0 && label < CIFAR10_CLASSES.length),
  );
  if (bad >= 0) {
    throw new DataError(
      `${source}: label ${bad} is ${describe(labels[bad])}, CIFAR-10 has 0 to 9; ` +
        'the file is damaged or not a python batch of CIFAR-10',
    );
  }
  return Uint8Array.from(labels as number[]);
}

function describe(value: PickleValue): string {
  return typeof value === 'number' ? String(value) : 'no number';
}
