import { ARRAY_TYPES, type DType, type TypedArray } from '../../../core/dtype.ts';
import { ArrayStorage, isInMemoryScope } from '../../../core/memory.ts';
import { NdArray } from '../../../core/ndarray.ts';
import { elementCount, type Shape } from '../../../core/shape.ts';
import { HostSource, type StorageCopy, type StorageSource } from '../../../core/storage-source.ts';
import type { Features } from '../assembler/features.ts';
import type { ParameterTypes } from '../assembler/parameters.ts';
import type { Address } from './address.ts';
import { type Runtime, runtime } from './runtime.ts';
import type { FieldValues, TaskDefinition } from './task.ts';

/**
 * Where arrays live. Arrays made inside a memory scope (`tidy`, `backward`) live in the arena and
 * go back to it when the scope ends. Outside of scopes a result is copied into an ordinary typed
 * array, because a synchronous loop that drops results would fill the arena: finalizers do not run
 * there. Arrays that are changed in place (parameters, velocities) live long, and move to the arena
 * for good.
 */

/** Most bytes that arrays outside of scopes may take; dropped ones count until finalizers run. */
const RESIDENT_BYTES = 2 ** 30;
/** The same for those that only left a scope, such as gradients; a loop may drop many of them. */
const ESCAPED_BYTES = 2 ** 28;

let residentBytes = 0;

/** A block of the arena that an array holds. */
class ArenaBlock {
  readonly address: Address;
  readonly #bytes: number;
  readonly #runtime = runtime();
  #isResident = false;

  constructor(address: Address, bytes: number) {
    this.address = address;
    this.#bytes = bytes;
  }

  /** Counts it among those that live outside of scopes. */
  becomeResident(): void {
    if (!this.#isResident) residentBytes += this.#bytes;
    this.#isResident = true;
  }

  /** Whether it may stay now that no scope owns it any more. */
  escape(): boolean {
    const mayStay = this.#isResident || residentBytes + this.#bytes <= ESCAPED_BYTES;
    if (mayStay) this.becomeResident();
    return mayStay;
  }

  free(): void {
    if (this.#isResident) residentBytes -= this.#bytes;
    this.#runtime.arena.free(this.address);
  }
}

/** Elements in WebAssembly's memory. */
class ArenaSource extends ArenaBlock implements StorageSource {
  readonly length: number;
  readonly #dtype: DType;

  constructor(dtype: DType, length: number, address: Address) {
    super(address, length * ARRAY_TYPES[dtype].BYTES_PER_ELEMENT);
    this.length = length;
    this.#dtype = dtype;
  }

  leaveScopes(): StorageSource {
    if (this.escape()) return this;
    const onHost = new HostSource(this.read().slice());
    this.free();
    return onHost;
  }

  read(): TypedArray {
    return viewOf(runtime(), this.#dtype, this.address, this.length);
  }
}

/** What was made of an array's elements, in WebAssembly's memory until they change. */
class KeptCopy extends ArenaBlock implements StorageCopy {
  leaveScopes(): boolean {
    return this.escape();
  }
}

/**
 * Calls of kernels after which what is made again is kept. The same is made within one training step,
 * too, of arrays that are dropped afterwards; only finalizers would free what is kept of those.
 */
const LONG_AGO = 1000;

interface Making {
  readonly version: number;
  /** Number of the call in which it was made first. */
  readonly call: number;
}

const makings = new WeakMap<ArrayStorage, Map<string, Making>>();
let calls = 0;

/** Whether the same was made of the same elements a long time ago. */
function wasMadeLongAgo(storage: ArrayStorage, key: string): boolean {
  const known = makings.get(storage) ?? new Map<string, Making>();
  const first = known.get(key);
  const { version } = storage;
  if (first?.version === version) return calls - first.call > LONG_AGO;
  known.set(key, { version, call: calls });
  makings.set(storage, known);
  return false;
}

function viewOf({ memory }: Runtime, dtype: DType, address: Address, length: number): TypedArray {
  return new ARRAY_TYPES[dtype](memory.buffer, address, length);
}

function copyTo(runtime: Runtime, { storage, dtype }: NdArray, address: Address): void {
  const elements = storage.source.read();
  viewOf(runtime, dtype, address, elements.length).set(elements);
}

function mayMove({ storage }: NdArray): boolean {
  return !storage.isOutsideScopes || residentBytes + storage.bytes <= RESIDENT_BYTES;
}

/** Moves the elements of an array into the arena; the typed array that held them is dropped. */
function moveToArena(x: NdArray): ArenaSource {
  const { storage, dtype } = x;
  const { arena } = runtime();
  const address = arena.allocate(storage.bytes);
  copyTo(runtime(), x, address);
  const source = new ArenaSource(dtype, storage.source.length, address);
  if (storage.isOutsideScopes) source.becomeResident();
  storage.replaceSource(source);
  return source;
}

/** One call of a kernel: where its operands lie, and memory that it needs until it ends. */
export class Frame {
  readonly #runtime = runtime();
  readonly #temporaries: Address[] = [];
  readonly #outputs: NdArray[] = [];
  readonly #writeBacks: (() => void)[] = [];

  /** What the code of this machine was made for. */
  get features(): Features {
    return this.#runtime.features;
  }

  /** Threads that share the parts of a job. Results must not depend on it. */
  get threads(): number {
    return this.#runtime.threads;
  }

  /** The address of an input's elements. */
  input(x: NdArray): Address {
    const { source } = x.storage;
    if (source instanceof ArenaSource) return source.address;
    // Inside a scope it will not stay longer than the scope, and is likely to be used again.
    if (!x.storage.isOutsideScopes && mayMove(x)) return moveToArena(x).address;
    return this.derived(x, 'elements', x.storage.bytes, (address) =>
      copyTo(this.#runtime, x, address),
    );
  }

  /**
   * The address of something made of an array's elements, such as weights in another order. What is
   * made of the same elements over and over is kept until they change.
   */
  derived(
    { storage }: NdArray,
    name: string,
    bytes: number,
    make: (address: Address) => void,
  ): Address {
    const key = `wasm ${name}`;
    const kept = storage.copyOf(key);
    if (kept instanceof KeptCopy) return kept.address;
    if (!wasMadeLongAgo(storage, key)) {
      const address = this.temporary(bytes);
      make(address);
      return address;
    }
    const address = this.#runtime.arena.allocate(bytes);
    make(address);
    const copy = new KeptCopy(address, bytes);
    if (storage.isOutsideScopes && !copy.leaveScopes()) this.#temporaries.push(address);
    else storage.keepCopy(key, copy);
    return address;
  }

  /** The address of an array that will be changed in place. */
  target(x: NdArray): Address {
    x.storage.beginChange();
    const { source } = x.storage;
    if (source instanceof ArenaSource) return source.address;
    if (mayMove(x)) return moveToArena(x).address;
    const address = this.temporary(x.storage.bytes);
    copyTo(this.#runtime, x, address);
    const copy = viewOf(this.#runtime, x.dtype, address, source.length);
    this.#writeBacks.push(() => x.data.set(copy));
    return address;
  }

  /** A new array for a result; its content is arbitrary. */
  output(shape: Shape, dtype: DType = 'float32'): { array: NdArray; address: Address } {
    const length = elementCount(shape);
    const address = this.#runtime.arena.allocate(length * ARRAY_TYPES[dtype].BYTES_PER_ELEMENT);
    const source = new ArenaSource(dtype, length, address);
    const array = new NdArray(shape, new ArrayStorage(dtype, source));
    this.#outputs.push(array);
    return { array, address };
  }

  /** Memory until the end of the call. */
  temporary(bytes: number): Address {
    const address = this.#runtime.arena.allocate(bytes);
    this.#temporaries.push(address);
    return address;
  }

  /** Runs a task and returns when all of its `parts` are done. */
  run<Fields extends ParameterTypes>(
    task: TaskDefinition<Fields>,
    parts: number,
    values: FieldValues<Fields>,
  ): void {
    this.#runtime.run(task, parts, values);
  }

  /** Ends the call; `inFrame` does it. */
  close(succeeded: boolean): void {
    if (succeeded) {
      for (const writeBack of this.#writeBacks) writeBack();
      if (!isInMemoryScope()) for (const { storage } of this.#outputs) storage.moveToHost();
    } else {
      for (const { storage } of this.#outputs) storage.release();
    }
    for (const address of this.#temporaries) this.#runtime.arena.free(address);
  }
}

/** Runs the body of a kernel with a frame, and frees what it held at the end. */
export function inFrame<Result>(body: (frame: Frame) => Result): Result {
  const frame = new Frame();
  calls++;
  let succeeded = false;
  try {
    const result = body(frame);
    succeeded = true;
    return result;
  } finally {
    frame.close(succeeded);
  }
}
