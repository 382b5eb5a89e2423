import {
  atomicAdd,
  atomicLoad,
  atomicStore,
  discard,
  sleepWhile,
  wakeAll,
} from '../assembler/atomics.ts';
import { defineFunction, type FunctionBuilder } from '../assembler/function.ts';
import { type I32, i32, loadI32 } from '../assembler/scalars.ts';

/**
 * How threads share work. The main thread writes a job into memory and opens it; whoever is awake
 * enters, takes part numbers from one counter until none is left, and leaves. When everybody has
 * left, the job is done.
 *
 * Waiting threads spin for a while, because the next job usually comes within microseconds, and
 * then sleep, so that an idle process uses no processor.
 */

/** Addresses of the shared words; those that many threads write to have a cache line each. */
export const CONTROL = {
  /** 1 while a job takes threads in. */
  open: 64,
  /** The next part to take. */
  next: 128,
  /** Worker threads inside the job. */
  active: 192,
  /** Counts jobs; sleeping workers wait for it to change. */
  sequence: 256,
  sleepers: 320,
  /** Of the job: number of parts, and place of its function in the table. */
  parts: 384,
  kernel: 388,
  /** 1 while the main thread sleeps until `active` is 0. */
  mainSleeps: 448,
  /** 1 after a worker did not come back. */
  failed: 512,
  /** Counts replacements of the workers; those of before take no part in jobs any more. */
  generation: 576,
} as const;

/** Where the fields of the job lie. */
export const JOB_ADDRESS = 1024;
/** Where each task's code lies, by its place: address and length of a module in memory. */
export const DIRECTORY = 2048;
/** Most tasks that there can be. */
export const MOST_TASKS = 2048;
/** The first address free for other use. */
export const CONTROL_END = DIRECTORY + 8 * MOST_TASKS;

/** What every task is called with: its job's fields, the part's number, memory of the thread. */
export const TASK_PARAMETERS = { job: 'address', index: 'i32', scratch: 'address' } as const;

/** Function of JavaScript that puts the code of a task into the table of its thread. */
export const loadTask = defineFunction('loadTask', { place: 'i32' }, () => {});

/** Turns of the spinning loops: about 100 µs for workers, 1 ms for the main thread. */
const WORKER_SPINS = 50_000;
const MAIN_SPINS = 500_000;
const NAP_MILLISECONDS = 1_000;
/** Naps until a worker counts as lost. */
const NAPS = 300;

/** Runs one part of the job by the function at place `kernel` of the table. */
function callTask(f: FunctionBuilder, index: I32, scratch: I32, kernel: I32): void {
  f.callIndirect(TASK_PARAMETERS, { job: i32(JOB_ADDRESS), index, scratch }, kernel);
}

/** Takes parts and runs them until none is left. */
function runParts(f: FunctionBuilder, scratch: I32): void {
  const part = f.i32();
  f.block((finished) => {
    f.doWhile(() => {
      part.set(atomicAdd(CONTROL.next, 1));
      finished.breakIf(part.atLeast(loadI32(i32(CONTROL.parts))));
      callTask(f, part, scratch, loadI32(i32(CONTROL.kernel)));
    }, i32(1));
  });
  atomicStore(f, CONTROL.open, 0);
}

/** Publishes the job that lies in memory, takes part in it, and returns when it is done. */
export const runJob = defineFunction(
  'runJob',
  { scratch: 'i32', kernel: 'i32', parts: 'i32', maySleep: 'i32' },
  (f, { scratch, kernel, parts, maySleep }) => {
    f.store(i32(CONTROL.kernel), kernel);
    f.store(i32(CONTROL.parts), parts);
    atomicStore(f, CONTROL.next, 0);
    atomicStore(f, CONTROL.open, 1);
    discard(f, atomicAdd(CONTROL.sequence, 1));
    f.if(atomicLoad(CONTROL.sleepers), () => wakeAll(f, CONTROL.sequence));
    runParts(f, scratch);

    const spins = f.i32(MAIN_SPINS);
    const active = f.i32();
    const naps = f.i32();
    f.block((done) => {
      f.doWhile(() => {
        done.breakIf(atomicLoad(CONTROL.active).isZero());
        spins.set(spins.minus(maySleep));
      }, spins);
      atomicStore(f, CONTROL.mainSleeps, 1);
      f.doWhile(() => {
        active.set(atomicLoad(CONTROL.active));
        f.if(active, () => {
          sleepWhile(f, CONTROL.active, active, NAP_MILLISECONDS);
          naps.set(naps.plus(1));
        });
        f.if(naps.greaterThan(NAPS), () => {
          f.store(i32(CONTROL.failed), i32(1));
          active.set(0);
        });
      }, active);
      atomicStore(f, CONTROL.mainSleeps, 0);
    });
  },
);

/** What a worker thread runs for its whole life: until a new generation has come. */
export const workerLoop = defineFunction(
  'workerLoop',
  { scratch: 'i32', generation: 'i32' },
  (f, { scratch, generation }) => {
    const seen = f.i32();
    const spins = f.i32();
    const isCurrent = (): I32 => atomicLoad(CONTROL.generation).equals(generation);
    f.doWhile(() => {
      seen.set(atomicLoad(CONTROL.sequence));
      spins.set(WORKER_SPINS);
      f.block((opened) => {
        f.doWhile(() => {
          opened.breakIf(atomicLoad(CONTROL.open));
          spins.set(spins.minus(1));
        }, spins);
        // A new generation is announced before the sequence changes, so none sleeps through it.
        opened.breakIf(isCurrent().isZero());
        // The main thread counts the job before it looks for sleepers, so none sleeps through it.
        discard(f, atomicAdd(CONTROL.sleepers, 1));
        sleepWhile(f, CONTROL.sequence, seen, null);
        discard(f, atomicAdd(CONTROL.sleepers, -1));
      });
      discard(f, atomicAdd(CONTROL.active, 1));
      // A job that closed meanwhile must not be entered: the main thread may be past it. Nor may one
      // of the next generation, which has other code.
      f.if(isCurrent().and(atomicLoad(CONTROL.open)), () => {
        f.call(loadTask, { place: loadI32(i32(CONTROL.kernel)) });
        runParts(f, scratch);
      });
      f.if(atomicAdd(CONTROL.active, -1).equals(1).and(atomicLoad(CONTROL.mainSleeps)), () =>
        wakeAll(f, CONTROL.active),
      );
    }, isCurrent());
  },
);

/** Makes all workers end, at once or when they wake. No job may be running. */
export function startGeneration(control: Int32Array): number {
  const generation = Atomics.add(control, CONTROL.generation / 4, 1) + 1;
  Atomics.add(control, CONTROL.sequence / 4, 1);
  Atomics.notify(control, CONTROL.sequence / 4);
  return generation;
}

/** Runs all parts of the job in memory on the calling thread, without disturbing the others. */
export const runAlone = defineFunction(
  'runAlone',
  { scratch: 'i32', kernel: 'i32', parts: 'i32' },
  (f, { scratch, kernel, parts }) => {
    f.for(0, parts, 1, (part) => callTask(f, part, scratch, kernel));
  },
);
