import { BackendError } from '../../../core/errors.ts';
import { maySleep, processorCount } from '../../host.ts';
import type { Features } from '../assembler/features.ts';
import {
  type Grouped,
  type ParameterTypes,
  type Stretch,
  stretchesOf,
} from '../assembler/parameters.ts';
import type { Address } from './address.ts';
import { Arena, INITIAL_PAGES, MAXIMUM_PAGES } from './arena.ts';
import { attempt, Code } from './code.ts';
import { supportsRelaxedSimd } from './engine.ts';
import { settings } from './settings.ts';
import type { FieldValues, TaskDefinition } from './task.ts';
import {
  CONTROL,
  CONTROL_END,
  DIRECTORY,
  JOB_ADDRESS,
  MOST_TASKS,
  startGeneration,
} from './threads.ts';
import { bestWidth, type Width } from './wide-vectors.ts';
import { startWorker, type WorkerThread, whyNoWorkers } from './workers.ts';

/** Memory of a thread for packed operands and tiles. */
export const SCRATCH_BYTES = 4 * 2 ** 20;
/** More threads than this only wait for each other. */
const MAXIMUM_THREADS = 64;

/** What code is made for; see `BackendOptions`. */
interface CodeOptions {
  readonly relaxedSimd: boolean;
  readonly wideVectors: boolean;
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
  /** The place of each task that ran in the tables. */
  readonly #places = new Map<TaskDefinition, number>();
  /** Of the fields of each of these tasks, by its place. */
  readonly #stretches: (readonly Stretch[])[] = [];
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
    this.arena = new Arena(this.memory, CONTROL_END);
    this.#width = width;
    this.#code = this.#codeFor({ fma, lanes: width.lanes });
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
    this.#code.publish();
    this.setThreads(threads);
  }

  #codeFor(features: Features): Code {
    const key = `${features.fma} ${features.lanes}`;
    const code = this.#codes.get(key) ?? new Code(features, this.memory, this.arena);
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
      const data = {
        module,
        memory: this.memory,
        directory: DIRECTORY,
        scratch,
        generation: this.#generation,
      };
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
   * The place of a task in the tables, where its code is put if it is not there yet.
   *
   * @throws BackendError if there are too many tasks
   */
  prepare<Fields extends ParameterTypes>(task: TaskDefinition<Fields>): number {
    const key = task as unknown as TaskDefinition; // The fields' names do not matter.
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.#places.size;
      if (place === MOST_TASKS) throw new BackendError(`wasm: more than ${MOST_TASKS} tasks`);
      this.#places.set(key, place);
      this.#stretches.push(stretchesOf(task.fields));
    }
    this.#code.load(key, place);
    return place;
  }

  /** Puts the fields of a job where the parts read them. Every call of a kernel does it. */
  #writeFields(stretches: readonly Stretch[], values: Grouped<number | boolean>): void {
    let at = 0;
    for (const { path, names, types } of stretches) {
      let group = values;
      for (const name of path) group = group[name] as Grouped<number | boolean>;
      for (let i = 0; i < names.length; i++) {
        const view = types[i] === 'f32' ? this.#fieldsAsFloats : this.#fieldsAsInts;
        view[at++] = Number(group[names[i]]);
      }
    }
  }

  /**
   * Runs a job and returns when all its parts are done.
   *
   * @throws BackendError if there are too many tasks, or a thread was lost
   */
  run<Fields extends ParameterTypes>(
    task: TaskDefinition<Fields>,
    parts: number,
    values: FieldValues<Fields>,
  ): void {
    if (parts === 0) return;
    const place = this.prepare(task);
    this.#writeFields(this.#stretches[place], values as Grouped<number | boolean>);
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
