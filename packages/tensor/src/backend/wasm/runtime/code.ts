import { BackendError } from '../../../core/errors.ts';
import type { Features } from '../assembler/features.ts';
import { assembleModule } from '../assembler/module.ts';
import type { Address } from './address.ts';
import { type Arena, INITIAL_PAGES, MAXIMUM_PAGES } from './arena.ts';
import type { TaskDefinition } from './task.ts';
import { DIRECTORY, loadTask, runAlone, runJob, workerLoop } from './threads.ts';

interface Exports {
  runJob(scratch: number, kernel: number, parts: number, maySleep: number): void;
  runAlone(scratch: number, kernel: number, parts: number): void;
}

const LIMITS = { initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES };

/** Runs what an engine may refuse. An error of code that writes a task is none of these. */
export function attempt<Result>(body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw new BackendError(
      `wasm: the engine refuses it: ${(error as Error).message}; use setBackend('reference')`,
    );
  }
}

/**
 * Machine code for one kind of processor: a module that shares work among threads, and one for each
 * task, made when the task first runs. Modules of tasks lie in the shared memory, where each thread finds
 * them.
 */
export class Code {
  readonly features: Features;
  /** For the loops of worker threads. */
  readonly module: WebAssembly.Module;
  readonly exports: Exports;
  readonly #memory: WebAssembly.Memory;
  readonly #arena: Arena;
  readonly #table = new WebAssembly.Table({ element: 'anyfunc', initial: 0 });
  /** Address and length of each module of a task in memory, by the task's place. */
  readonly #modules = new Map<number, readonly [address: Address, length: number]>();

  /** @throws BackendError if the engine refuses it */
  constructor(features: Features, memory: WebAssembly.Memory, arena: Arena) {
    this.features = features;
    this.#memory = memory;
    this.#arena = arena;
    const bytes = assembleModule({
      features,
      memory: LIMITS,
      imports: [loadTask],
      exports: [runJob, runAlone, workerLoop],
      hasTable: true,
    });
    // This thread loads tasks before it runs them.
    const env = { memory, table: this.#table, loadTask() {} };
    this.module = attempt(() => new WebAssembly.Module(bytes));
    const { exports } = attempt(() => new WebAssembly.Instance(this.module, { env }));
    this.exports = exports as unknown as Exports; // The functions named above.
  }

  /**
   * Makes a task's code and puts it at a place of the tables, if it is not there.
   *
   * @throws BackendError if the engine refuses it; what its body throws
   */
  load({ definition }: TaskDefinition, place: number): void {
    if (this.#modules.has(place)) return;
    const bytes = assembleModule({
      features: this.features,
      memory: LIMITS,
      exports: [definition],
    });
    const env = { memory: this.#memory };
    const { exports } = attempt(
      () => new WebAssembly.Instance(new WebAssembly.Module(bytes), { env }),
    );
    if (place >= this.#table.length) this.#table.grow(place + 1 - this.#table.length);
    const [task] = Object.values(exports); // There is one.
    this.#table.set(place, task);
    const address = this.#arena.allocate(bytes.length);
    new Uint8Array(this.#memory.buffer, address, bytes.length).set(bytes);
    this.#modules.set(place, [address, bytes.length]);
    this.publish();
  }

  /** Lets threads that start or run from now on find the code of all tasks. */
  publish(): void {
    for (const [place, entry] of this.#modules) {
      new Int32Array(this.#memory.buffer, DIRECTORY + 8 * place, 2).set(entry);
    }
  }
}
