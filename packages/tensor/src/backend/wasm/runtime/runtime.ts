import { BackendError } from '../../../core/errors.ts';
import { maySleep, processorCount } from '../../host.ts';
import type { Features } from '../assembler/features.ts';
import { assembleModule } from '../assembler/module.ts';
import { forParameters, type Grouped, type ParameterTypes } from '../assembler/parameters.ts';
import type { Address } from './address.ts';
import { Arena, MAXIMUM_PAGES } from './arena.ts';
import { supportsRelaxedSimd } from './engine.ts';
import { settings } from './settings.ts';
import { allTasks, type FieldValues, type TaskDefinition } from './task.ts';
import {
  CONTROL,
  CONTROL_END,
  JOB_ADDRESS,
  runAlone,
  runJob,
  startGeneration,
  workerLoop,
} from './threads.ts';
import { bestWidth, type Width } from './wide-vectors.ts';
import { startWorker, type WorkerThread, whyNoWorkers } from './workers.ts';

/** Memory of a thread for packed operands and tiles. */
export const SCRATCH_BYTES = 4 * 2 ** 20;
const INITIAL_PAGES = 256;
/** More threads than this only wait for each other. */
const MAXIMUM_THREADS = 64;

/** What code is made for; see `BackendOptions`. */
interface CodeOptions {
  readonly relaxedSimd: boolean;
  readonly wideVectors: boolean;
}

/** The module, compiled for the main thread and for workers. */
interface Code {
  readonly features: Features;
  readonly module: WebAssembly.Module;
  readonly exports: Exports;
}

interface Exports {
  runJob(scratch: number, kernel: number, parts: number, maySleep: number): void;
  runAlone(scratch: number, kernel: number, parts: number): void;
}

function attempt<Result>(body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw new BackendError(
      `wasm: the engine refuses it: ${(error as Error).message}; use setBackend('reference')`,
    );
  }
}

function loadCode(memory: WebAssembly.Memory, features: Features): Code {
  // An error in the code that writes a task is a bug of that code, and no refusal of the engine.
  const bytes = assembleModule({
    features,
    memory: { initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES },
    exports: [runJob, runAlone, workerLoop],
    table: allTasks.map((task) => task.definition),
  });
  return attempt(() => {
    const module = new WebAssembly.Module(bytes);
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    return { features, module, exports: exports as unknown as Exports }; // The functions named above.
  });
}

function featuresOf({ relaxedSimd, wideVectors }: CodeOptions): { fma: boolean; width: Width } {
  const fma = relaxedSimd && supportsRelaxedSimd();
  const width: Width = wideVectors
    ? bestWidth(fma)
    : { lanes: 4, reason: "256-bit ones are switched off: option 'wideVectors'" };
  return { fma, width };
}

/** Memory, code and threads; there is one for the process, made when first used. */
export class Runtime {
  readonly memory: WebAssembly.Memory;
  readonly arena: Arena;
  readonly #places: ReadonlyMap<TaskDefinition, number>;
  readonly #fieldsAsInts: Int32Array;
  readonly #fieldsAsFloats: Float32Array;
  readonly #control: Int32Array;
  readonly #maySleep = maySleep();
  /** Scratch memory of each thread; the first is the calling one. */
  readonly #scratch: Address[] = [];
  /** What was compiled, by its features: switching back is quick. */
  readonly #codes = new Map<string, Code>();
  #code: Code;
  #width: Width;
  #workers: WorkerThread[] = [];
  #generation = 0;
  #workerProblem: string | null = null;

  /** @throws BackendError if the engine refuses the memory or the code */
  constructor(options: CodeOptions) {
    this.memory = attempt(
      () =>
        new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES, shared: true }),
    );
    const { fma, width } = featuresOf(options);
    this.#width = width;
    this.#code = this.#codeFor({ fma, lanes: width.lanes });
    this.#places = new Map(allTasks.map((task, place) => [task, place]));
    this.arena = new Arena(this.memory, CONTROL_END);
    this.#fieldsAsInts = new Int32Array(this.memory.buffer, JOB_ADDRESS, 256);
    this.#fieldsAsFloats = new Float32Array(this.memory.buffer, JOB_ADDRESS, 256);
    this.#control = new Int32Array(this.memory.buffer, 0, JOB_ADDRESS / 4);
    this.#scratch.push(this.arena.allocate(SCRATCH_BYTES));
  }

  get features(): Features {
    return this.#code.features;
  }

  /** How many lanes vectors have, and why not more. */
  get width(): Width {
    return this.#width;
  }

  /** Takes other code if the choice changes something. */
  choose(options: CodeOptions): void {
    const { fma, width } = featuresOf(options);
    this.#width = width;
    if (fma === this.features.fma && width.lanes === this.features.lanes) return;
    const { threads } = this;
    this.#dismissWorkers();
    this.#code = this.#codeFor({ fma, lanes: width.lanes });
    this.setThreads(threads);
  }

  #codeFor(features: Features): Code {
    const key = `${features.fma} ${features.lanes}`;
    const code = this.#codes.get(key) ?? loadCode(this.memory, features);
    this.#codes.set(key, code);
    return code;
  }

  get threads(): number {
    return this.#workers.length + 1;
  }

  /** Why there are fewer threads than asked for; null if there are not. */
  get workerProblem(): string | null {
    return this.#workerProblem;
  }

  /** @param count 1 or more; where workers cannot run it stays at 1 */
  setThreads(count: number): void {
    this.#workerProblem = count > 1 ? whyNoWorkers() : null;
    const wanted = this.#workerProblem === null ? Math.min(count, MAXIMUM_THREADS) : 1;
    if (wanted < this.threads) this.#dismissWorkers();
    while (this.threads < wanted) {
      const scratch = this.#scratch[this.threads] ?? this.arena.allocate(SCRATCH_BYTES);
      this.#scratch[this.threads] = scratch;
      const { module } = this.#code;
      const data = { module, memory: this.memory, scratch, generation: this.#generation };
      const worker = startWorker(data, (reason) => {
        if (!this.#workers.includes(worker)) return;
        this.#workerProblem = reason;
        this.#workers = [];
      });
      this.#workers.push(worker);
    }
  }

  #dismissWorkers(): void {
    this.#generation = startGeneration(this.#control);
    for (const worker of this.#workers.splice(0)) worker.stop();
  }

  /**
   * Runs a job and returns when all its parts are done.
   *
   * @throws BackendError if the task is not in the module, or a thread was lost
   */
  run<Fields extends ParameterTypes>(
    task: TaskDefinition<Fields>,
    parts: number,
    values: FieldValues<Fields>,
  ): void {
    if (parts === 0) return;
    // The map is keyed by identity; the fields' names do not matter.
    const place = this.#places.get(task as unknown as TaskDefinition);
    if (place === undefined) {
      throw new BackendError(
        `wasm: task '${task.name}' was defined after the first kernel ran, when the module with all ` +
          'tasks was made; define it in a module that is imported before',
      );
    }
    let at = 0;
    forParameters(task.fields, values as Grouped<number | boolean>, (value, type) => {
      const view = type === 'f32' ? this.#fieldsAsFloats : this.#fieldsAsInts;
      view[at++] = Number(value);
    });
    if (parts === 1 || this.#workers.length === 0) {
      this.#code.exports.runAlone(this.#scratch[0], place, parts);
      return;
    }
    this.#code.exports.runJob(this.#scratch[0], place, parts, Number(this.#maySleep));
    if (this.#control[CONTROL.failed / 4] !== 0) {
      throw new BackendError(
        `wasm: a worker thread was lost in '${task.name}'; restart the process`,
      );
    }
  }
}

let current: Runtime | null = null;

/** The runtime of this process. */
export function runtime(): Runtime {
  if (current === null) {
    current = new Runtime(settings);
    current.setThreads(settings.threads ?? processorCount());
  }
  return current;
}

/** The runtime, or null before the first kernel. */
export function startedRuntime(): Runtime | null {
  return current;
}
