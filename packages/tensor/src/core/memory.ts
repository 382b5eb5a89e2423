import {
  ARRAY_TYPES,
  copyOfElements,
  type DType,
  isHalf,
  type ReadonlyTypedArray,
} from './dtype.ts';
import { ReleasedError } from './errors.ts';
import { fromHalves } from './halves.ts';
import { Readings } from './readings.ts';
import { HostSource, type StorageCopy, type StorageSource } from './storage-source.ts';

/*
 * How the elements of arrays live and die, without bookkeeping by the user.
 *
 * An array is a shape over an `ArrayStorage`; reshaped arrays share one. A storage has
 *
 * - one *source*: where its elements are: an ordinary typed array (`HostSource`), a block of
 *   WebAssembly's memory or a buffer of a GPU. A backend may move them (`replaceSource`).
 * - *copies*: further places of the same elements, such as weights packed for a kernel. They are
 *   given up when the elements change.
 * - a *scope* or none: `tidy` and `backward` open one, a new storage belongs to the innermost, and
 *   when it ends it releases what it owns. What its result needs *escapes*: it moves to the scope
 *   around. Outside all scopes the garbage collector decides, and a finalizer frees the source.
 * - *readings*: what `tensor.data` gave out, a copy that stays right whatever becomes of the storage.
 * - a *version*, which counts changes in place: `backward` refuses what it saved in another version.
 */

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
  readonly storages = new Set<ArrayStorage>();

  constructor(parent: MemoryScope | null) {
    this.parent = parent;
  }
}

/** The memory of one or several arrays (a reshaped array shares it with its original). */
export class ArrayStorage {
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
    this.bytes = source.length * ARRAY_TYPES[dtype].BYTES_PER_ELEMENT;
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

  /** A copy of the numbers for somebody who may keep it, whatever becomes of this storage. */
  snapshot(): ReadonlyTypedArray {
    const { source, dtype } = this;
    this.#readings ??= new Readings();
    return this.#readings.next(() =>
      isHalf(dtype) ? fromHalves(source.read(), dtype) : copyOfElements(source.read(), dtype),
    );
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
  liveAsLongAs(other: ArrayStorage): void {
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
  survivors: (result: Result) => Iterable<ArrayStorage>,
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
