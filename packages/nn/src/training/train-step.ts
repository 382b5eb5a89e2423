import { mul, type Tensor, tidy, ValueError } from '@firelight/tensor';
import { expectInteger, formatShape } from '@firelight/tensor/extend';
import { expectPositive } from '../core/checks.ts';
import { TrainingError } from '../core/errors.ts';
import type { Module } from '../module/module.ts';
import { firstNonFinite, hasOnlyFinite } from '../module/watch.ts';
import { clipTo, gradNorm, scaleGradients } from '../optimizers/clip-grad-norm.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { ForwardState } from './forward-state.ts';
import type { WeightAverage } from './weight-average.ts';

/** A loss function: logits and labels to one number. */
export interface LossFunction {
  /** The loss [] of logits [N, C, …] and labels as the loss takes them. */
  forward(logits: Tensor, labels: Tensor): Tensor;
}

/** What a step trains, and how. */
export interface StepParts {
  readonly network: Module;
  readonly lossFn: LossFunction;
  readonly optimizer: Optimizer;
  /** Most that the norm of all gradients may be, without the scale of the loss; null for no bound. */
  readonly clipNorm: number | null;
  /** Batches whose gradients make one step of the optimizer. */
  readonly accumulationSteps: number;
}

/** The samples of each of some batches; null where that is not known. */
export type GatheredBatches = readonly (number | null)[];

/** What a batch gave. */
export interface BatchResult {
  readonly loss: number;
  /** Learning rate of the step to which the batch belongs. */
  readonly learningRate: number;
  /** Whether every logit is 0, as after a last ReLU that has died. */
  readonly isDead: boolean;
}

/**
 * Forward, backward and, when enough batches are gathered, a step of the optimizer.
 *
 * A batch whose loss, gradient or running statistics are not finite is refused: the network is as
 * before it, and gradients gathered before it are dropped.
 */
export class TrainStep {
  readonly #parts: StepParts;
  /** Takes in the weights after each step of the optimizer. */
  average: WeightAverage | null = null;
  #gathered: GatheredBatches = [];
  #before: ForwardState;

  /** @throws ValueError if a number is out of its range */
  constructor(parts: StepParts) {
    const { clipNorm, accumulationSteps } = parts;
    if (clipNorm !== null) expectPositive('Model', 'clipNorm', clipNorm);
    expectInteger('Model', 'accumulationSteps', accumulationSteps, 1);
    this.#parts = parts;
    this.#before = new ForwardState(parts.network);
  }

  /** Batches whose gradients make one step of the optimizer. */
  get accumulationSteps(): number {
    return this.#parts.accumulationSteps;
  }

  /** The batches whose gradients wait for the next step of the optimizer. */
  get gathered(): GatheredBatches {
    return this.#gathered;
  }

  /** To be called before a training: what another one left behind is forgotten. */
  begin(gathered: GatheredBatches = []): void {
    this.#gathered = gathered;
    this.#before = new ForwardState(this.#parts.network);
  }

  /**
   * One batch. If it fails, the network is as before it.
   *
   * @param where how an error names it
   * @throws TrainingError if the loss, a gradient or a running statistic is not finite
   */
  run(image: Tensor, label: Tensor, where: string): BatchResult {
    const { optimizer, accumulationSteps } = this.#parts;
    const { learningRate } = optimizer;
    if (image.shape[0] === 0) {
      throw new ValueError(
        `Model.train: a batch of shape ${formatShape(image.shape)} has no samples; leave it out`,
      );
    }
    this.#before.note();
    try {
      const result = tidy(() => this.#differentiate(image, label, where));
      if (this.#gathered.length === accumulationSteps) this.flush(where);
      else this.#checkGradients(where);
      return { ...result, learningRate };
    } catch (error) {
      this.#before.restore();
      this.#drop();
      throw error;
    }
  }

  /** Adds the gradient of a batch to those gathered. */
  #differentiate(image: Tensor, label: Tensor, where: string): { loss: number; isDead: boolean } {
    const { network, lossFn, optimizer, accumulationSteps } = this.#parts;
    const logits = network.forward(image);
    const isDead = logits.array.data.every((logit) => logit === 0);
    const loss = lossOf(lossFn, logits, label);
    const value = loss.item();
    if (!Number.isFinite(value)) this.#refuseLoss(value, image, where);
    const spoiled = this.#before.spoiledBuffer();
    if (spoiled !== null) {
      this.#refuse('running statistics', where, [
        `'${spoiled}' is not finite after images ${formatShape(image.shape)}`,
        'Look for huge values in the images',
      ]);
    }
    if (this.#gathered.length === 0) optimizer.zeroGrad();
    const [samples] = image.shape;
    const gathered = [...this.#gathered.map((size) => size ?? samples), samples];
    // A batch counts by its samples, as in a full group of batches like the first.
    const factor = (optimizer.lossScale * samples) / (gathered[0] * accumulationSteps);
    (factor === 1 ? loss : mul(loss, factor)).backward();
    this.#gathered = gathered;
    return { loss: value, isDead };
  }

  /**
   * Steps with the gradients gathered so far, if there are any.
   *
   * @throws TrainingError if one is not finite
   */
  flush(where: string): void {
    if (this.#gathered.length === 0) return;
    const { optimizer, clipNorm, accumulationSteps } = this.#parts;
    const { parameters, lossScale } = optimizer;
    const sizes = this.#gathered.map((size) => size ?? 1);
    const samples = sizes.reduce((sum, size) => sum + size, 0);
    // 1 in a full group of equal batches; fewer, or others than the first, were weighted otherwise.
    const correction = (sizes[0] * accumulationSteps) / samples;
    if (correction !== 1) scaleGradients(parameters, correction);
    const norm = this.#checkGradients(where);
    if (clipNorm !== null) clipTo(parameters, norm, clipNorm * lossScale);
    optimizer.step();
    this.average?.update();
    this.#gathered = [];
  }

  /** The norm of the gradients, which tells at little cost whether all are finite. */
  #checkGradients(where: string): number {
    const { network, optimizer } = this.#parts;
    const { parameters, lossScale } = optimizer;
    const norm = gradNorm(parameters);
    if (Number.isFinite(norm)) return norm;
    const trained = new Set(parameters);
    const names = network
      .namedParameters()
      .filter(([, each]) => trained.has(each) && each.grad !== null && !hasOnlyFinite(each.grad))
      .map(([name]) => `'${name}'`);
    const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
    const whose = names.length === 0 ? 'the parameters' : names.slice(0, 3).join(', ') + more;
    const scale = lossScale === 1 ? '' : ` and loss scale ${lossScale}`;
    return this.#refuse('gradient', where, [
      `the gradient of ${whose} is not finite at learning rate ${optimizer.learningRate}${scale}`,
      `Use a smaller learning rate${scale === '' ? '' : ' or lossScale'}, a warm-up or clipNorm`,
    ]);
  }

  #refuseLoss(loss: number, image: Tensor, where: string): never {
    const { network, optimizer } = this.#parts;
    this.#before.restore(); // So that the layers give again what they gave.
    const found = firstNonFinite(network, image);
    const first =
      found === null
        ? 'every layer is finite, so look at the loss function and the labels'
        : `the first that is not finite is ${found.what} '${found.name}'`;
    return this.#refuse('loss', where, [
      `the loss is ${loss} at learning rate ${optimizer.learningRate} for images ` +
        `${formatShape(image.shape)}; ${first}`,
      'Use a smaller learning rate, a warm-up or clipNorm',
    ]);
  }

  /** @see MindSpore, `LossMonitor`, for the first sentence */
  #refuse(what: string, where: string, [reason, remedy]: readonly [string, string]): never {
    throw new TrainingError(
      `${where}. Invalid ${what}, terminating training: ${reason}. ${remedy}; the step was not ` +
        'taken, and checkpoints saved before are whole.',
    );
  }

  #drop(): void {
    this.#parts.optimizer.zeroGrad();
    this.#gathered = [];
  }
}

/** @throws ValueError unless the loss is one number */
export function lossOf(lossFn: LossFunction, logits: Tensor, labels: Tensor): Tensor {
  const loss = lossFn.forward(logits, labels);
  if (loss.size !== 1) {
    throw new ValueError(
      `Model: the loss must be one number, got shape ${formatShape(loss.shape)}; give the loss ` +
        "function reduction: 'mean'",
    );
  }
  return loss;
}
