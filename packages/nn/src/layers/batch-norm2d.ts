import {
  type Activation,
  type BatchNorm2dBranchOptions,
  type BatchNorm2dCommonOptions,
  batchNorm2dBranches,
  ones,
  type Tensor,
  zeros,
} from '@firelight/tensor';
import { expectBoolean, expectInteger, expectShare, readOptions } from '@firelight/tensor/extend';
import { expectNotNegative } from '../core/checks.ts';
import { Module } from '../module/module.ts';
import { type ActivationOptions, expectActivation } from './activation.ts';

/** Size and statistics of a `BatchNorm2d`. */
export interface BatchNorm2dLayerOptions {
  /** Channels C of the input. */
  readonly numFeatures: number;
  /** Share of the batch in the running statistics; 0.1 by default (MindSpore's 0.9 is 1 − this). */
  readonly momentum?: number;
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number;
  /** Whether there are a weight and a bias; true by default. */
  readonly affine?: boolean;
  /** Applied to the output, in the same pass over memory; `'none'` by default. */
  readonly activation?: Activation;
}

/**
 * Batch normalization with parameters `weight` and `bias`, unless `affine` is false, and buffers
 * `running_mean` and `running_var`, all `[C]`; see `batchNorm2d`. Weight decay leaves its parameters alone
 * by default.
 * PyTorch's `num_batches_tracked`, which only an unweighted average needs, is not loaded.
 */
export class BatchNorm2d extends Module {
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly runningMean: Tensor;
  readonly runningVariance: Tensor;
  readonly activation: Activation;
  /** What the norm multiplies by and adds, parameters or not. */
  readonly #scaleAndShift: { readonly weight: Tensor; readonly bias: Tensor };
  readonly #momentum: number;
  readonly #epsilon: number;

  /** @throws ValueError for a wrong option: `numFeatures` is an integer ≥ 1, `momentum` in [0, 1] */
  constructor(options: BatchNorm2dLayerOptions) {
    super();
    const known = ['numFeatures', 'momentum', 'epsilon', 'affine', 'activation'] as const;
    const {
      numFeatures,
      momentum = 0.1,
      epsilon = 1e-5,
      affine = true,
      activation = 'none',
    } = readOptions('BatchNorm2d', options, known);
    expectInteger('BatchNorm2d', 'numFeatures', numFeatures, 1);
    expectShare('BatchNorm2d', 'momentum', momentum);
    expectNotNegative('BatchNorm2d', 'epsilon', epsilon);
    expectBoolean('BatchNorm2d', 'affine', affine);
    const undecayed = { decay: false };
    const [shape, grad] = [[numFeatures], { requiresGrad: affine }];
    const [weight, bias] = [ones(shape, grad), zeros(shape, grad)];
    this.weight = affine ? this.registerParameter('weight', weight, undecayed) : null;
    this.bias = affine ? this.registerParameter('bias', bias, undecayed) : null;
    this.#scaleAndShift = { weight, bias };
    this.runningMean = this.registerBuffer('running_mean', zeros(shape));
    this.runningVariance = this.registerBuffer('running_var', ones(shape));
    this.ignoreInState('num_batches_tracked');
    this.activation = expectActivation('BatchNorm2d', activation);
    this.#momentum = momentum;
    this.#epsilon = epsilon;
  }

  /**
   * `[N, C, H, W]` → `[N, C, H, W]`
   *
   * @param options `activation`: another one than the layer's own
   */
  forward(x: Tensor, { activation = this.activation }: ActivationOptions = {}): Tensor {
    return batchNorm2dBranches(x, [this.branch()], { ...this.settings, activation });
  }

  /** This norm as one of several of neighbouring channels; see `batchNorm2dBranches`. */
  branch(): BatchNorm2dBranchOptions {
    const { runningMean, runningVariance } = this;
    return { ...this.#scaleAndShift, runningMean, runningVariance };
  }

  /** What norms must have in common to be computed side by side. */
  get settings(): BatchNorm2dCommonOptions {
    return { training: this.training, momentum: this.#momentum, epsilon: this.#epsilon };
  }
}
