import { type DType, isHalf, newTypedArray, type TypedArray } from './dtype.ts';
import { fromHalves } from './halves.ts';
import { ArrayStorage } from './memory.ts';
import { elementCount, type Shape } from './shape.ts';
import { HostSource } from './storage-source.ts';

/** A dense row-major array: shape, dtype and storage, without gradients. */
export class NdArray {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly #storage: ArrayStorage;

  constructor(shape: Shape, storage: ArrayStorage) {
    this.shape = shape.slice(); // Whoever gave it may change it later.
    this.dtype = storage.dtype;
    this.#storage = storage;
  }

  /**
   * Wraps a typed array without copying it; its length must be the product of `shape`, and nobody
   * else may write to it.
   */
  static fromTypedArray(data: TypedArray, shape: Shape, dtype: DType): NdArray {
    return new NdArray(shape, new ArrayStorage(dtype, new HostSource(data)));
  }

  /** A zero-filled array in main memory. */
  static zeros(shape: Shape, dtype: DType): NdArray {
    return NdArray.fromTypedArray(newTypedArray(dtype, elementCount(shape)), shape, dtype);
  }

  /** Where the elements live. */
  get storage(): ArrayStorage {
    return this.#storage;
  }

  /**
   * The flat elements in row-major order, to be read at once: a backend may move them later, and
   * give their memory to others. (`Tensor.data` gives them to keep.) Who writes to them, unless the
   * array is new, calls `storage.beginChange()` first. Of 16-bit floats they are bits.
   */
  get data(): TypedArray {
    return this.storage.source.read();
  }

  /** As `data`, but numbers for every dtype: of 16-bit floats, a copy in float32. */
  get numbers(): TypedArray {
    const { data, dtype } = this;
    return isHalf(dtype) ? fromHalves(data, dtype) : data;
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.shape);
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** The same elements under another shape of the same size; the storage is shared. */
  withShape(shape: Shape): NdArray {
    return new NdArray(shape, this.storage);
  }
}
