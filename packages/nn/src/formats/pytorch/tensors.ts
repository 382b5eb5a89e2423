import { Tensor } from '@firelight/tensor';
import { elementCount, NdArray, newTypedArray, quote } from '@firelight/tensor/extend';
import {
  type ByteSource,
  byteWidth,
  extentOf,
  gather,
  readElements,
  swapBytes,
} from '@firelight/tensor/formats';
import { type PickledTensor, REFUSED_TYPES } from './values.ts';

/** Where the bytes of storages are, by their keys, and in which order each element has them. */
export interface Storages {
  readonly sources: ReadonlyMap<string, ByteSource>;
  readonly isBigEndian: boolean;
}

/** What is made of a file may take so many times its bytes, and `MEMORY_BASE`. */
export const MEMORY_SHARE = 4;
export const MEMORY_BASE = 2 ** 26;

/** Bytes of an element of any type that a file may have. */
export function widthOf(type: string): number {
  return Object.hasOwn(REFUSED_TYPES, type) ? REFUSED_TYPES[type] : byteWidth(type);
}

/**
 * Checks that tensors lie inside their storages, and that a small file does not ask for much memory, as
 * tensors that repeat one element could.
 *
 * @throws the source's error
 */
export function checkTensors(
  tensors: Iterable<readonly [name: string, tensor: PickledTensor]>,
  { sources }: Storages,
  source: ByteSource,
): void {
  const most = MEMORY_SHARE * source.size + MEMORY_BASE;
  let total = 0;
  for (const [name, tensor] of tensors) {
    const { storage, type, shape, offset } = tensor;
    const found = sources.get(storage.key);
    if (found === undefined) {
      throw source.error(`has no storage ${quote(storage.key)}, which tensor ${quote(name)} needs`);
    }
    const width = widthOf(type);
    const end = (storage.viewStart + extentOf(tensor)) * width;
    const inStorage = storage.type === null ? storage.count / width : storage.count;
    if (extentOf(tensor) > inStorage || end > found.size) {
      throw source.error(
        `tensor ${quote(name)} of shape [${shape.join(', ')}] ends at byte ${end} of its storage ` +
          `${quote(storage.key)}, which has ${found.size}; the file is cut off or damaged`,
      );
    }
    total += Math.max(elementCount(shape), extentOf(tensor) - offset) * width;
    if (total > most) {
      throw source.error(
        `its tensors would take ${total} bytes, of a file of ${source.size}: they show the same ` +
          'numbers many times; save .clone() of them',
      );
    }
  }
}

/** The elements of a checked tensor, in row-major order. */
export function readTensor(
  name: string,
  tensor: PickledTensor,
  { sources, isBigEndian }: Storages,
  source: ByteSource,
): Tensor {
  const { storage, type, shape, strides, offset } = tensor;
  if (Object.hasOwn(REFUSED_TYPES, type)) {
    const remedy = type.startsWith('q') ? 'save tensor.dequantize()' : 'save .real and .imag';
    throw source.error(`tensor ${quote(name)} is of ${type}, which is not read; ${remedy}`);
  }
  const width = widthOf(type);
  const count = Math.max(extentOf(tensor) - offset, 0);
  const start = count === 0 ? 0 : storage.viewStart + offset;
  // The storage is there, as `checkTensors` saw.
  const stored = (sources.get(storage.key) as ByteSource).bytes(
    start * width,
    (start + count) * width,
  );
  const bytes = isBigEndian ? swapBytes(stored, width) : stored;
  const { data, dtype } = readElements(source, `tensor ${quote(name)}`, type, bytes);
  const elements = isContiguous(shape, strides)
    ? data
    : gather(data, newTypedArray(dtype, elementCount(shape)), { shape, strides, offset: 0 });
  return new Tensor(NdArray.fromTypedArray(elements, shape, dtype));
}

/** Whether elements lie as ours do; axes of length 1 may have any stride. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  if (elementCount(shape) === 0) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}
