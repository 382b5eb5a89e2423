import type { Callback, TrainingContext } from '../training/callback.ts';
import { printLine } from './print.ts';

/** Where a bar is drawn: a terminal, a file, or whatever takes text. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

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
const BAR_WIDTH = 24;
/** Steps over which the shown loss is averaged. */
const LOSS_WINDOW = 10;

/** Seconds as `m:ss`. */
function formatTime(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

function defaultStream(): TextStream {
  return typeof process === 'object' && process.stdout !== undefined
    ? process.stdout
    : { write: (text) => printLine(text.trimEnd()) };
}

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

  constructor({ stream = defaultStream() }: { readonly stream?: TextStream } = {}) {
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
    const clear = this.#stream.isTTY ? '\r\x1b[K' : '';
    this.#stream.write(`${clear}epoch ${epoch} validated: ${values.join('  ')}\n`);
  }

  update({ label, step, steps, images, details }: Progress): void {
    this.#images += images;
    const seconds = (performance.now() - this.#start) / 1000;
    const rate = `${(this.#images / seconds).toFixed(1)} images/s`;
    const perStep = seconds / (step - this.#firstStep);
    const left = steps === null ? '' : `${formatTime(perStep * (steps - step))} left`;
    const isLast = step === steps;
    if (this.#stream.isTTY) {
      const filled = Math.round((step / (steps ?? Number.POSITIVE_INFINITY)) * BAR_WIDTH);
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
      const line = `${label} ${bar} ${step}/${steps ?? '?'}  ${details}  ${rate}  ${left}`;
      this.#stream.write(`\r\x1b[K${line.slice(0, this.#stream.columns)}`);
      if (isLast) this.#stream.write('\n');
    } else if (
      isLast ||
      step % (steps === null ? PLAIN_STEPS : Math.ceil(steps / PLAIN_LINES)) === 0
    ) {
      this.#stream.write(`${label}  step ${step}/${steps ?? '?'}  ${details}  ${rate}  ${left}\n`);
    }
  }
}
