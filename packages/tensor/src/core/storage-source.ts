import type { TypedArray } from './dtype.ts';

/**
 * Where the elements of an array live. `read` gives them as an ordinary typed array: at once for
 * storage in main memory, by copying for storage on a device.
 */
export interface StorageSource {
  readonly length: number;
  /** Whether what `read` gives is a copy, so that writing to it would be lost. */
  readonly isReadOnly?: boolean;
  read(): TypedArray;
  /** Gives memory back that the garbage collector does not manage. */
  free?(): void;
  /** Called when no scope owns the elements any more: the source that holds them from now on. */
  leaveScopes?(): StorageSource;
}

/** A second place of a storage's elements, such as on a device; given up when they change. */
export interface StorageCopy {
  free(): void;
  /** Called when no scope owns the elements any more; whether the copy may stay. */
  leaveScopes(): boolean;
}

/** Elements in main memory, in an ordinary typed array. */
export class HostSource implements StorageSource {
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
