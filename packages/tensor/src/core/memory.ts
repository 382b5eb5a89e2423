import {
  BYTES_PER_ELEMENT,
  copyOfElements,
  type DType,
  type ReadonlyTypedArray,
  type TypedArray,
} from './dtype.ts';
import { ReleasedError } from './errors.ts';
import { Readings } from './readings.ts';

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
  /** Called when no scope owns the elements any more: the source that shall hold them from now on. */
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

interface Usage {
  arrays: number;
  bytes: number;
}

const live: Usage = { arrays: 0, bytes: 0 };
let currentScope: MemoryScope | null = null;

function count(bytes: number, sign: 1 | -1): void {
  live.arrays += sign;
  live.bytes += sign * bytes;
}

/**
 * Finalizers wait until the event loop turns, which a loop that awaits nothing but ready promises
 * never lets it do. So they only keep the count of arrays that live outside every scope, and hold
 * no source but one that must be freed; the others are ordinary garbage and nothing leaks meanwhile.
 */
const collected = new FinalizationRegistry<{
  source: StorageSource | null;
  copies: Copies | null;
  bytes: number;
}>(({ source, copies, bytes }) => {
  count(bytes, -1);
  source?.free?.();
  if (copies !== null) freeAll(copies);
});

/** Copies by what a backend tells them apart by. */
type Copies = Map<string, StorageCopy>;

function freeAll(copies: Copies): void {
  for (const copy of copies.values()) copy.free();
  copies.clear();
}

/** Arrays made while the scope is open; what was not moved out is released when it closes. */
class MemoryScope {
  readonly parent: MemoryScope | null;
  readonly storages = new Set<Storage>();

  constructor(parent: MemoryScope | null) {
    this.parent = parent;
  }
}

/** The memory of one or several arrays (a reshaped array shares it with its original). */
export class Storage {
  readonly dtype: DType;
  readonly bytes: number;
  #source: StorageSource | null;
  #copies: Copies | null = null;
  #scope: MemoryScope | null = null;
  #version = 0;
  #readings: Readings | null = null;

  /** @param source nobody else may write to its elements */
  constructor(dtype: DType, source: StorageSource) {
    this.dtype = dtype;
    this.bytes = source.length * BYTES_PER_ELEMENT[dtype];
    this.#source = source;
    count(this.bytes, 1);
    this.#enter(currentScope);
  }

  /** What a backend stored; it knows its own kind of source and reads the others. */
  get source(): StorageSource {
    if (this.#source === null) {
      throw new ReleasedError(
        'This tensor was released: tidy(), in which it was made, has ended (return it from tidy() ' +
          'to keep it), or dispose() was called on it, as zeroGrad() does with gradients.',
      );
    }
    return this.#source;
  }

  /** Counts the changes in place, so that `backward` can tell whether what it saved is still so. */
  get version(): number {
    return this.#version;
  }

  /** Whether no scope owns it: it lives as long as the garbage collector finds it in use. */
  get isOutsideScopes(): boolean {
    return this.#scope === null;
  }

  /** A copy of the elements for somebody who may keep it, whatever becomes of this storage. */
  snapshot(): ReadonlyTypedArray {
    const { source } = this;
    this.#readings ??= new Readings();
    return this.#readings.next(() => copyOfElements(source.read(), this.dtype));
  }

  /**
   * To be called before the elements are changed in place: from now on there is only one of each,
   * and it is another one than before.
   */
  beginChange(): void {
    if (this.source.isReadOnly) this.moveToHost();
    this.#version++;
    this.#dropCopies();
  }

  /** Copies the elements into an ordinary typed array, if they are not in one, and stays there. */
  moveToHost(): void {
    if (!(this.source instanceof HostSource)) {
      this.replaceSource(new HostSource(this.source.read().slice()));
    }
  }

  /** Lets the elements live elsewhere; `source` holds a copy of them. */
  replaceSource(source: StorageSource): void {
    this.#leave();
    this.#source?.free?.();
    this.#source = source;
    this.#enter(this.#scope);
  }

  /** The copy that was kept under a key. */
  copyOf(key: string): StorageCopy | undefined {
    return this.#copies?.get(key);
  }

  /** Keeps a copy of the elements until they change or are released. */
  keepCopy(key: string, copy: StorageCopy): void {
    if (this.#copies === null) {
      this.#leave();
      this.#copies = new Map();
      this.#enter(this.#scope); // Finalizers learn of the copies.
    }
    this.#copies.set(key, copy);
  }

  #dropCopies(): void {
    if (this.#copies !== null) freeAll(this.#copies);
    this.#readings?.forget();
    this.#readings = null;
  }

  get isReleased(): boolean {
    return this.#source === null;
  }

  /** Whether the innermost open scope would release it. */
  get isOwnedByCurrentScope(): boolean {
    return this.#scope !== null && this.#scope === currentScope;
  }

  /** Gives the memory back; reading it afterwards throws `ReleasedError`. */
  release(): void {
    if (this.#source === null) return;
    this.#leave();
    this.#source.free?.();
    this.#source = null;
    this.#dropCopies();
    count(this.bytes, -1);
  }

  /** Lets this storage live as long as `other` does: it moves to the scope that owns `other`. */
  liveAsLongAs(other: Storage): void {
    this.#moveTo(other.#scope);
  }

  /** Moves to the scope around the current one, so that it survives the end of the current one. */
  escape(): void {
    if (this.isOwnedByCurrentScope) this.#moveTo(this.#scope?.parent ?? null);
  }

  #moveTo(scope: MemoryScope | null): void {
    if (this.#source === null || scope === this.#scope) return;
    this.#leave();
    if (scope === null) {
      this.#source = this.#source.leaveScopes?.() ?? this.#source;
      for (const [key, copy] of this.#copies ?? []) {
        if (copy.leaveScopes()) continue;
        copy.free();
        this.#copies?.delete(key);
      }
    }
    this.#enter(scope);
  }

  #enter(scope: MemoryScope | null): void {
    this.#scope = scope;
    if (scope !== null) scope.storages.add(this);
    else if (this.#source !== null) {
      const source = this.#source.free === undefined ? null : this.#source;
      collected.register(this, { source, copies: this.#copies, bytes: this.bytes }, this);
    }
  }

  #leave(): void {
    if (this.#scope !== null) this.#scope.storages.delete(this);
    else collected.unregister(this);
  }
}

/**
 * Runs `body`; every storage that it makes is released at the end, except those in what
 * `survivors` picks from its result.
 */
export function withMemoryScope<Result>(
  body: () => Result,
  survivors: (result: Result) => Iterable<Storage>,
): Result {
  const scope = new MemoryScope(currentScope);
  currentScope = scope;
  try {
    const result = body();
    for (const storage of survivors(result)) storage.escape();
    return result;
  } finally {
    for (const storage of scope.storages) storage.release();
    currentScope = scope.parent;
  }
}

/** Whether arrays made now belong to a scope. */
export function isInMemoryScope(): boolean {
  return currentScope !== null;
}

/** Live arrays and their bytes; see `memory()`. */
export function memoryUsage(): Readonly<Usage> {
  return { ...live };
}
