import { type DType, newTypedArray, type TypedArray } from './dtype.ts';
import { Storage, type StorageSource } from './memory.ts';
import { elementCount, type Shape } from './shape.ts';

/** Elements in main memory, in an ordinary typed array. */
class HostSource implements StorageSource {
  readonly #data: TypedArray;

  constructor(data: TypedArray) {
    this.#data = data;
  }

  get length(): number {
    return this.#data.length;
  }

  read(): TypedArray {
    return this.#data;
  }
}

/** A dense row-major array: shape, dtype and storage, without gradients. */
export class NdArray {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly storage: Storage;

  constructor(shape: Shape, storage: Storage) {
    this.shape = shape;
    this.dtype = storage.dtype;
    this.storage = storage;
  }

  /** Wraps a typed array without copying it; its length must be the product of `shape`. */
  static fromTypedArray(data: TypedArray, shape: Shape, dtype: DType): NdArray {
    return new NdArray(shape, new Storage(dtype, new HostSource(data)));
  }

  /** A zero-filled array in main memory. */
  static zeros(shape: Shape, dtype: DType): NdArray {
    return NdArray.fromTypedArray(newTypedArray(dtype, elementCount(shape)), shape, dtype);
  }

  /** The flat elements in row-major order; writing to them writes to the array. */
  get data(): TypedArray {
    return this.storage.source.read();
  }

  get size(): number {
    return elementCount(this.shape);
  }

  get rank(): number {
    return this.shape.length;
  }

  /** The same elements under another shape of the same size; the storage is shared. */
  withShape(shape: Shape): NdArray {
    return new NdArray(shape, this.storage);
  }
}
