import { batchNorm2d, ones, type Tensor, ValueError, zeros } from '@firelight/tensor';
import { Module } from '../module.ts';

export interface BatchNorm2dLayerOptions {
  /** Channels C of the input. */
  readonly numFeatures: number;
  /** Share of the batch in the running statistics; 0.1 by default (MindSpore's 0.9 is 1 − this). */
  readonly momentum?: number;
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number;
}

/**
 * Batch normalization with parameters `weight` and `bias` and buffers `running_mean` and
 * `running_var`, all `[C]`; see `batchNorm2d`. Weight decay leaves its parameters alone by default.
 * PyTorch's `num_batches_tracked`, which only an unweighted average needs, is not loaded.
 */
export class BatchNorm2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly runningMean: Tensor;
  readonly runningVariance: Tensor;
  readonly #momentum: number;
  readonly #epsilon: number;

  /** @throws ValueError unless `numFeatures` is an integer ≥ 1 */
  constructor({ numFeatures, momentum = 0.1, epsilon = 1e-5 }: BatchNorm2dLayerOptions) {
    super();
    if (!Number.isInteger(numFeatures) || numFeatures < 1) {
      throw new ValueError(`BatchNorm2d: numFeatures must be an integer ≥ 1, got ${numFeatures}`);
    }
    const undecayed = { decay: false };
    const shape = [numFeatures];
    this.weight = this.registerParameter('weight', ones(shape, { requiresGrad: true }), undecayed);
    this.bias = this.registerParameter('bias', zeros(shape, { requiresGrad: true }), undecayed);
    this.runningMean = this.registerBuffer('running_mean', zeros(shape));
    this.runningVariance = this.registerBuffer('running_var', ones(shape));
    this.ignoreInState('num_batches_tracked');
    this.#momentum = momentum;
    this.#epsilon = epsilon;
  }

  /** `[N, C, H, W]` → `[N, C, H, W]` */
  forward(x: Tensor): Tensor {
    return batchNorm2d(x, this.weight, this.bias, {
      runningMean: this.runningMean,
      runningVariance: this.runningVariance,
      training: this.training,
      momentum: this.#momentum,
      epsilon: this.#epsilon,
    });
  }
}
