import { printLine } from '../core/console.ts';
import type { Callback, TrainingContext } from '../training/callback.ts';
import type { MonitorOptions } from './loss-monitor.ts';

/**
 * Prints `Train epoch time: 111595.874 ms, per step time: 71.444 ms` after each epoch. The steps are
 * those that were taken: of an epoch that was resumed in the middle, the rest.
 *
 * @see MindSpore, `TimeMonitor`
 */
export class TimeMonitor implements Callback {
  readonly #print: (line: string) => void;
  #start = 0;
  #startStep = 0;
  #seconds = 0;

  constructor({ print = printLine }: MonitorOptions = {}) {
    this.#print = print;
  }

  onEpochBegin({ globalStep }: TrainingContext): void {
    this.#start = performance.now();
    this.#startStep = globalStep;
    this.#seconds = 0;
  }

  onStepEnd(): void {
    // Validation, which follows the last step, is not training.
    this.#seconds = (performance.now() - this.#start) / 1000;
  }

  onEpochEnd({ globalStep }: TrainingContext): void {
    const steps = globalStep - this.#startStep;
    if (steps === 0) return;
    const time = this.#seconds * 1000;
    this.#print(
      `Train epoch time: ${time.toFixed(3)} ms, per step time: ${(time / steps).toFixed(3)} ms`,
    );
  }
}
