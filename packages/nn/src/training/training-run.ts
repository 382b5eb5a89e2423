import { type Tensor, ValueError } from '@firelight/tensor';
import { expectInteger } from '@firelight/tensor/extend';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { Snapshot } from '../checkpoint/snapshot.ts';
import type { MetricValue } from '../metrics/metric.ts';
import { BatchStream } from './batch-stream.ts';
import type { Callback, TrainingContext } from './callback.ts';
import { DeadOutputWatch } from './dead-output.ts';
import { restoreState } from './restore-state.ts';
import type { TrainStep } from './train-step.ts';
import {
  batchesPerEpoch,
  nextTurn,
  partsOf,
  type StopSignal,
  type TrainingData,
} from './training-data.ts';
import { captureState, checkCallbacks, type TrainingParts } from './training-state.ts';

/** Milliseconds after which the event loop gets a turn, for signals, timers and finalizers. */
const TURN_MILLISECONDS = 200;

/** How a training ended. */
export interface TrainingResult {
  /** Epochs and steps done, also before a resume. */
  readonly epoch: number;
  readonly globalStep: number;
  /** Loss of the last step. */
  readonly loss: number;
  /** What the last validation measured; null if there was none. */
  readonly metrics: Readonly<Record<string, MetricValue>> | null;
  /** Why it ended before the last epoch; null if it did not. */
  readonly stopReason: string | null;
}

export interface RunOptions {
  readonly epochs: number;
  /** Steps of an epoch; null for as many as an iteration of the data set gives. */
  readonly stepsPerEpoch: number | null;
  readonly step: TrainStep;
  /** Measures after each epoch; null for no validation. */
  readonly validate: (() => Promise<Readonly<Record<string, MetricValue>>>) | null;
  readonly signal: StopSignal | null;
  readonly warn: (text: string) => void;
}

type Moment = Exclude<keyof Callback & `on${string}`, undefined>;

/** One call of `Model.train`: the epochs, and what callbacks see of them. */
export class TrainingRun implements TrainingContext {
  epoch = 1;
  step = 0;
  stepsPerEpoch: number | null;
  globalStep = 0;
  loss = Number.NaN;
  batchSize = 0;
  learningRate = Number.NaN;
  metrics: Readonly<Record<string, MetricValue>> | null = null;
  readonly #parts: TrainingParts;
  readonly #options: RunOptions;
  readonly #callbacks: readonly Callback[];
  readonly #watch: DeadOutputWatch;
  readonly #batches: BatchStream;
  /** Steps after which an epoch ends; null where it ends with the data set's iteration. */
  readonly #epochEnd: number | null;
  #isEpochOver = false;
  #stopReason: string | null = null;
  #lastTurn = performance.now();

  /** @throws ValueError if a number is out of its range, or the list of callbacks has a fault */
  constructor(parts: TrainingParts, options: RunOptions) {
    const { epochs, stepsPerEpoch } = options;
    expectInteger('Model.train', 'epochs', epochs, 1);
    if (stepsPerEpoch !== null) expectInteger('Model.train', 'stepsPerEpoch', stepsPerEpoch, 1);
    const { callbacks, data } = parts;
    checkCallbacks(callbacks);
    this.#parts = parts;
    this.#options = options;
    this.#callbacks = [
      ...callbacks.filter(({ runsLast }) => runsLast !== true),
      ...callbacks.filter(({ runsLast }) => runsLast === true),
    ];
    this.#watch = new DeadOutputWatch(options.warn);
    this.#batches = new BatchStream(data);
    this.#epochEnd = stepsPerEpoch ?? repeatedSteps(data);
    this.stepsPerEpoch = this.#epochEnd ?? batchesPerEpoch(data);
  }

  get network() {
    return this.#parts.network;
  }

  get optimizer() {
    return this.#parts.optimizer;
  }

  get epochs(): number {
    return this.#options.epochs;
  }

  requestStop(reason: string): void {
    this.#stopReason ??= reason;
  }

  snapshot(): Snapshot {
    const { globalStep, loss, learningRate } = this;
    // After an epoch the next one has not begun.
    const [epoch, step] = this.#isEpochOver ? [this.epoch + 1, 0] : [this.epoch, this.step];
    return captureState(this.#parts, {
      epoch,
      step,
      globalStep,
      loss,
      learningRate,
      data: this.#batches.position(),
      gathered: this.#options.step.gathered,
    });
  }

  /** Takes the place of a training that was saved. */
  resumeFrom(checkpoint: Checkpoint): void {
    const { accumulationSteps } = this.#options.step;
    const { stepsPerEpoch } = this;
    const position = restoreState(this.#parts, checkpoint, { accumulationSteps, stepsPerEpoch });
    this.epoch = position.epoch;
    this.step = position.step;
    this.globalStep = position.globalStep;
    this.loss = position.loss;
    this.learningRate = position.learningRate;
    this.#batches.restore(position.data);
    this.#options.step.begin(position.gathered);
  }

  /** @throws TrainingError if the loss, a gradient or a running statistic is not finite */
  async run(): Promise<TrainingResult> {
    try {
      return await this.#run();
    } finally {
      await this.#batches.close();
    }
  }

  async #run(): Promise<TrainingResult> {
    await this.#call('onTrainBegin');
    while (this.epoch <= this.epochs && this.#goesOn()) {
      await this.#runEpoch();
      if (!this.#isEpochOver) break;
      await this.#endEpoch();
      if (this.epoch === this.epochs) break;
      if (!this.#goesOn()) break;
      this.epoch++;
      this.step = 0;
      this.#isEpochOver = false;
    }
    await this.#call('onTrainEnd');
    const { globalStep, loss, metrics } = this;
    const epoch = Math.min(this.epoch, this.epochs);
    const isComplete = epoch === this.epochs && this.#isEpochOver;
    const stopReason = isComplete ? null : this.#stopReason;
    return { epoch, globalStep, loss, metrics, stopReason };
  }

  #goesOn(): boolean {
    if (this.#options.signal?.aborted === true) this.requestStop('it was interrupted');
    return this.#stopReason === null;
  }

  async #runEpoch(): Promise<void> {
    await this.#call('onEpochBegin');
    while (this.step !== this.#epochEnd) {
      const batch = await this.#batches.next();
      if (batch === null && this.#epochEnd === null) break;
      if (batch === null) continue;
      const { image, label } = partsOf(batch);
      await this.#runStep(image, label);
      // At the last step of an epoch known in length, the epoch is ended first.
      if (!this.#goesOn() && this.step !== this.stepsPerEpoch) return;
    }
    this.stepsPerEpoch = this.step;
    this.#options.step.flush(this.#where(this.step));
    this.#isEpochOver = true;
  }

  async #runStep(image: Tensor, label: Tensor): Promise<void> {
    await this.#call('onStepBegin');
    const where = this.#where(this.step + 1);
    const { loss, learningRate, isDead } = this.#options.step.run(image, label, where);
    this.step++;
    this.globalStep++;
    this.loss = loss;
    this.learningRate = learningRate;
    this.batchSize = image.shape[0];
    this.#watch.after(isDead, this.stepsPerEpoch);
    await this.#call('onStepEnd');
    if (performance.now() - this.#lastTurn > TURN_MILLISECONDS) {
      await nextTurn();
      this.#lastTurn = performance.now();
    }
  }

  async #endEpoch(): Promise<void> {
    const { validate } = this.#options;
    if (validate !== null) this.metrics = await validate();
    await this.#call('onEpochEnd');
  }

  async #call(moment: Moment): Promise<void> {
    for (const callback of this.#callbacks) {
      const done = callback[moment]?.(this);
      if (done !== undefined) await done;
    }
  }

  /** @see MindSpore, `LossMonitor` */
  #where(step: number): string {
    return `epoch: ${this.epoch} step: ${step}`;
  }
}

/**
 * Steps of an iteration of a data set that repeats; null if it does not, or does not say its length.
 *
 * @throws ValueError if it repeats for ever
 */
function repeatedSteps(data: TrainingData): number | null {
  const { repeat = 1 } = data;
  if (repeat === 1) return null;
  if (repeat === Number.POSITIVE_INFINITY) {
    throw new ValueError(
      'Model.train: the data set repeats for ever, so no epoch would end; pass stepsPerEpoch to ' +
        'train, or take repeat: 1 and as many epochs',
    );
  }
  const batches = batchesPerEpoch(data);
  return batches === null ? null : batches * repeat;
}
