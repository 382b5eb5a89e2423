import {
  formatDuration,
  progressBar,
  rewriteLine,
  type TextStream,
} from '@firelight/tensor/extend';
import { standardOutput } from '../core/console.ts';
import type { Callback, TrainingContext } from '../training/callback.ts';

/** What is shown after each step. */
export interface Progress {
  readonly label: string;
  /** Steps done and to do, counted over the whole run; null where the end is not known. */
  readonly step: number;
  readonly steps: number | null;
  readonly images: number;
  readonly details: string;
}

/** Plain lines printed over a whole run, where there is no terminal. */
const PLAIN_LINES = 20;
/** Steps from line to line where the end is not known. */
const PLAIN_STEPS = 100;
/** Steps over which the shown loss is averaged. */
const LOSS_WINDOW = 10;

/**
 * Shows how far a training is, with loss, images per second and the time left: a bar that redraws
 * itself on a terminal, and a plain line at every twentieth part elsewhere (the same steps in every
 * run, so that two runs can be compared). `update` shows the progress of other things.
 */
export class ProgressBar implements Callback {
  readonly #stream: TextStream;
  #start = performance.now();
  #firstStep = 0;
  #images = 0;
  #losses: number[] = [];
  /** Whether a bar stands in a line that has no end yet. */
  #isOpen = false;

  constructor({ stream = standardOutput() }: { readonly stream?: TextStream } = {}) {
    this.#stream = stream;
  }

  onTrainBegin({ globalStep }: TrainingContext): void {
    this.#begin(globalStep);
  }

  #begin(step: number): void {
    this.#start = performance.now();
    this.#firstStep = step;
    this.#images = 0;
    this.#losses = [];
  }

  onStepEnd(context: TrainingContext): void {
    const { epoch, epochs, stepsPerEpoch, globalStep, loss, batchSize } = context;
    this.#losses = [...this.#losses, loss].slice(-LOSS_WINDOW);
    const mean = this.#losses.reduce((sum, value) => sum + value, 0) / this.#losses.length;
    this.update({
      label: `epoch ${epoch}/${epochs}`,
      step: globalStep,
      steps: stepsPerEpoch === null ? null : epochs * stepsPerEpoch,
      images: batchSize,
      details: `loss ${mean.toFixed(4)}`,
    });
  }

  onEpochEnd({ epoch, metrics }: TrainingContext): void {
    const numbers = Object.entries(metrics ?? {}).filter(([, value]) => typeof value === 'number');
    if (numbers.length === 0) return;
    const values = numbers.map(([name, value]) => `${name} ${(value as number).toFixed(4)}`);
    if (this.#stream.isTTY) rewriteLine(this.#stream, '');
    this.#stream.write(`epoch ${epoch} validated: ${values.join('  ')}\n`);
    this.#isOpen = false;
  }

  /** Ends the line of a bar that has not come to its end, so that what follows begins a new one. */
  onTrainEnd(): void {
    if (this.#isOpen) this.#stream.write('\n');
    this.#isOpen = false;
  }

  /** Shows progress of any kind: also of an evaluation, or of a loop of your own. */
  update({ label, step, steps: total, images, details }: Progress): void {
    // A total that was passed was none.
    const steps = total !== null && step <= total && Number.isFinite(total) ? total : null;
    this.#images += images;
    const seconds = (performance.now() - this.#start) / 1000;
    const done = step - this.#firstStep;
    const parts = [`${label}  step ${step}/${steps ?? '?'}`, details];
    if (seconds > 0) parts.push(`${(this.#images / seconds).toFixed(1)} images/s`);
    if (steps !== null && done > 0) {
      parts.push(`${formatDuration((seconds / done) * (steps - step))} left`);
    }
    const isLast = step === steps;
    if (this.#stream.isTTY) {
      const bar = progressBar(steps === null || steps === 0 ? 0 : step / steps);
      const line = [`${label} ${bar} ${step}/${steps ?? '?'}`, ...parts.slice(1)].join('  ');
      rewriteLine(this.#stream, line);
      if (isLast) this.#stream.write('\n');
      this.#isOpen = !isLast;
    } else if (isLast || step % linesApart(steps) === 0) {
      this.#stream.write(`${parts.join('  ')}\n`);
    }
  }
}

/** Steps from line to line where there is no terminal. */
function linesApart(steps: number | null): number {
  return steps === null ? PLAIN_STEPS : Math.max(1, Math.ceil(steps / PLAIN_LINES));
}
