import { expectInteger } from '@firelight/tensor/extend';
import { printLine } from '../core/console.ts';
import type { Callback, TrainingContext } from '../training/callback.ts';
import { formatFloat } from './format-float.ts';

/** Where a monitor prints. */
export interface MonitorOptions {
  /** Takes the lines; the console by default. */
  readonly print?: (line: string) => void;
}

/** Base of monitors that print a line whenever so many steps have passed. */
abstract class StepMonitor implements Callback {
  readonly #every: number;
  readonly #print: (line: string) => void;
  #lastPrinted = 0;

  constructor(name: string, perPrintTimes: number, { print = printLine }: MonitorOptions) {
    expectInteger(name, 'perPrintTimes', perPrintTimes, 0);
    this.#every = perPrintTimes;
    this.#print = print;
  }

  onTrainBegin({ globalStep }: TrainingContext): void {
    // A resumed training prints at the steps at which it would have printed.
    this.#lastPrinted = this.#every === 0 ? 0 : globalStep - (globalStep % this.#every);
  }

  onStepEnd(context: TrainingContext): void {
    const { epoch, step, globalStep } = context;
    if (this.#every === 0 || globalStep - this.#lastPrinted < this.#every) return;
    this.#lastPrinted = globalStep;
    this.#print(`epoch: ${epoch} step: ${step}, ${this.describe(context)}`);
  }

  protected abstract describe(context: TrainingContext): string;
}

/**
 * Prints `epoch: E step: S, loss is L` every `perPrintTimes` steps (0: never).
 *
 * @see MindSpore, `LossMonitor`
 */
export class LossMonitor extends StepMonitor {
  /** @throws ValueError if `perPrintTimes` is not an integer ≥ 0 */
  constructor(perPrintTimes = 1, options: MonitorOptions = {}) {
    super('LossMonitor', perPrintTimes, options);
  }

  protected describe({ loss }: TrainingContext): string {
    return `loss is ${formatFloat(Math.fround(loss))}`;
  }
}

/** Prints `epoch: E step: S, learning rate is L` every `perPrintTimes` steps (0: never). */
export class LearningRateMonitor extends StepMonitor {
  /** @throws ValueError if `perPrintTimes` is not an integer ≥ 0 */
  constructor(perPrintTimes = 1, options: MonitorOptions = {}) {
    super('LearningRateMonitor', perPrintTimes, options);
  }

  protected describe({ learningRate }: TrainingContext): string {
    return `learning rate is ${formatFloat(learningRate)}`;
  }
}
