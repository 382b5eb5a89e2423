import { noGrad, type Tensor, tidy, ValueError } from '@firelight/tensor';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { warnOnConsole } from '../core/console.ts';
import { createMetrics, type MetricsOption } from '../metrics/by-name.ts';
import type { Metric, MetricValue } from '../metrics/metric.ts';
import type { Module } from '../module/module.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { Callback } from './callback.ts';
import { type LossFunction, lossOf, TrainStep } from './train-step.ts';
import {
  nextTurn,
  noBatchError,
  partsOf,
  type StopSignal,
  type TrainingData,
} from './training-data.ts';
import { type TrainingResult, TrainingRun } from './training-run.ts';
import { checkDecay, WeightAverage } from './weight-average.ts';

/** What a `Model` puts together. */
export interface ModelOptions {
  readonly network: Module;
  /** Needed to train, and for the metric `loss`. */
  readonly lossFn?: LossFunction;
  /** Needed to train. */
  readonly optimizer?: Optimizer;
  /** What `eval` measures: names, or metrics of yours by name. Default `['accuracy']`. */
  readonly metrics?: MetricsOption;
  /**
   * Most that the L2 norm of the gradients of the optimizer's parameters together may be, without
   * its `lossScale`; no bound by default.
   */
  readonly clipNorm?: number;
  /**
   * Batches whose gradients are averaged for one step of the optimizer; 1 by default. Each counts by
   * its samples, so that a loss that is a mean over samples has the gradient of one large batch. The
   * last step of an epoch averages over what is left.
   */
  readonly accumulationSteps?: number;
  /**
   * Average the weights of a training with this decay, in [0, 1). The average is what counts: it is
   * validated, evaluated and saved under the network's names, and after `train` the network holds
   * it. The weights that are trained are seen only by callbacks, and saved beside it.
   */
  readonly averageDecay?: number;
}

/** How `Model.train` goes about it. */
export interface TrainOptions {
  readonly callbacks?: readonly Callback[];
  /**
   * Steps of an epoch, through whatever iterations of the data set they take: an epoch goes on where
   * the one before ended. By default an epoch is one iteration.
   */
  readonly stepsPerEpoch?: number;
  /** Evaluated after each epoch; callbacks find the result in `metrics`. */
  readonly validation?: TrainingData;
  /** Ends the training after the step in which it is aborted. */
  readonly signal?: StopSignal;
  /** A checkpoint of this training, from where it goes on exactly. */
  readonly resumeFrom?: Checkpoint;
  /** Where warnings go; the console by default. */
  readonly warn?: (text: string) => void;
}

/**
 * A network with what is needed to train, evaluate and use it.
 *
 * @see MindSpore, `mindspore.Model`
 */
export class Model {
  readonly network: Module;
  readonly #lossFn: LossFunction | null;
  readonly #optimizer: Optimizer | null;
  readonly #metrics: ReadonlyMap<string, Metric>;
  readonly #averageDecay: number | null;
  readonly #step: TrainStep | null;
  /** Of the training that runs. */
  #average: WeightAverage | null = null;

  /** @throws ValueError for an unknown metric or a number out of its range */
  constructor({
    network,
    lossFn,
    optimizer,
    metrics = ['accuracy'],
    clipNorm,
    accumulationSteps = 1,
    averageDecay,
  }: ModelOptions) {
    this.network = network;
    this.#lossFn = lossFn ?? null;
    this.#optimizer = optimizer ?? null;
    this.#metrics = createMetrics(metrics);
    if (averageDecay !== undefined) checkDecay(averageDecay);
    this.#averageDecay = averageDecay ?? null;
    this.#step =
      lossFn === undefined || optimizer === undefined
        ? null
        : new TrainStep({
            network,
            lossFn,
            optimizer,
            clipNorm: clipNorm ?? null,
            accumulationSteps,
          });
  }

  /**
   * Trains for so many epochs, each an iteration of the data set or `stepsPerEpoch` batches of it,
   * and calls the callbacks on the way. However it ends, the network then holds the average of the
   * weights if there is one, from which another call goes on.
   *
   * A network that is in evaluation mode as a whole is in training mode meanwhile; otherwise each
   * module keeps its own, so that what was switched by `eval()` is not trained. Afterwards, also after
   * an error, every module has the mode from before.
   *
   * @throws ValueError without loss function or optimizer, without batches or an end of an epoch, with
   *   epochs or stepsPerEpoch < 1, or with a list of callbacks that has a fault
   * @throws TrainingError if the loss, a gradient or a running statistic becomes infinite or no
   *   number; that batch has then changed nothing
   * @throws CheckpointError if `resumeFrom` does not fit
   */
  async train(
    epochs: number,
    data: TrainingData,
    {
      callbacks = [],
      stepsPerEpoch,
      validation,
      signal,
      resumeFrom,
      warn = warnOnConsole,
    }: TrainOptions = {},
  ): Promise<TrainingResult> {
    if (this.#step === null || this.#optimizer === null) {
      throw new ValueError('Model.train: the model needs lossFn and optimizer');
    }
    await data.load?.();
    await validation?.load?.();
    const { network } = this;
    const average =
      this.#averageDecay === null
        ? null
        : new WeightAverage(network, { decay: this.#averageDecay });
    const run = new TrainingRun(
      {
        network,
        optimizer: this.#optimizer,
        average,
        data,
        validation: validation ?? null,
        callbacks,
      },
      {
        epochs,
        stepsPerEpoch: stepsPerEpoch ?? null,
        step: this.#step,
        validate: validation === undefined ? null : () => this.eval(validation),
        signal: signal ?? null,
        warn,
      },
    );
    this.#step.begin();
    if (resumeFrom !== undefined) run.resumeFrom(resumeFrom);
    const restoreModes = network.saveModes();
    if (network.namedModules().every(([, { training }]) => !training)) network.train();
    this.#average = average;
    this.#step.average = average;
    try {
      return await run.run();
    } finally {
      restoreModes();
      average?.swap();
      this.#average = null;
      this.#step.average = null;
    }
  }

  /**
   * Measures the network, in evaluation mode, over a data set: `{ accuracy: 0.81 }`.
   *
   * @param onBatch called after each batch with the number of images done, to show progress
   */
  async eval(
    data: TrainingData,
    { onBatch }: { readonly onBatch?: (images: number) => void } = {},
  ): Promise<Record<string, MetricValue>> {
    const average = this.#average;
    average?.swap();
    try {
      return await this.#evaluate(data, onBatch);
    } finally {
      average?.swap();
    }
  }

  async #evaluate(
    data: TrainingData,
    onBatch: ((images: number) => void) | undefined,
  ): Promise<Record<string, MetricValue>> {
    const { network } = this;
    const metrics = [...this.#metrics];
    for (const [, metric] of metrics) metric.reset();
    const restoreModes = network.saveModes();
    network.eval();
    try {
      let images = 0;
      for await (const batch of data) {
        const { image, label } = partsOf(batch);
        tidy(() =>
          noGrad(() => {
            const logits = network.forward(image);
            const loss = this.#lossFn === null ? null : lossOf(this.#lossFn, logits, label).item();
            for (const [, metric] of metrics) metric.update(logits, label, loss);
          }),
        );
        images += image.shape[0];
        onBatch?.(images);
        await nextTurn();
      }
      if (images === 0) throw noBatchError('Model.eval', data, 0);
    } finally {
      restoreModes();
    }
    return Object.fromEntries(metrics.map(([name, metric]) => [name, metric.value()]));
  }

  /** The network's output for a batch, in evaluation mode and without gradients. */
  predict(x: Tensor): Tensor {
    const restoreModes = this.network.saveModes();
    const average = this.#average;
    this.network.eval();
    average?.swap();
    try {
      return tidy(() => noGrad(() => this.network.forward(x)));
    } finally {
      average?.swap();
      restoreModes();
    }
  }
}
