import { groupNorm, instanceNorm, ones, ShapeError, type Tensor, zeros } from '@firelight/tensor';
import {
  asTensor,
  expectBoolean,
  expectInteger,
  expectThat,
  formatShape,
  readOptions,
} from '@firelight/tensor/extend';
import { expectNotNegative } from '../core/checks.ts';
import { Module } from '../module/module.ts';

/** Size of a `GroupNorm`. */
export interface GroupNormOptions {
  /** Groups of neighbouring channels; must divide the channels. */
  readonly numGroups: number;
  readonly numChannels: number;
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number;
  /** Whether there are a weight and a bias; true by default. */
  readonly affine?: boolean;
}

const UNDECAYED = { decay: false };

/**
 * Normalizes groups of channels of each sample, with parameters `weight` and `bias` `[C]` unless `affine`
 * is false; see `groupNorm`. Weight decay leaves them alone by default.
 */
export class GroupNorm extends Module {
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly #numGroups: number;
  readonly #numChannels: number;
  readonly #epsilon: number;

  /** @throws ValueError for a wrong option: both are integers ≥ 1, and the groups divide the channels */
  constructor(options: GroupNormOptions) {
    super();
    const known = ['numGroups', 'numChannels', 'epsilon', 'affine'] as const;
    const {
      numGroups,
      numChannels,
      epsilon = 1e-5,
      affine = true,
    } = readOptions('GroupNorm', options, known);
    expectInteger('GroupNorm', 'numGroups', numGroups, 1);
    expectInteger('GroupNorm', 'numChannels', numChannels, 1);
    const rule = `a multiple of numGroups (=${numGroups})`;
    expectThat(numChannels % numGroups === 0, 'GroupNorm', 'numChannels', rule, numChannels);
    expectNotNegative('GroupNorm', 'epsilon', epsilon);
    expectBoolean('GroupNorm', 'affine', affine);
    const [shape, grad] = [[numChannels], { requiresGrad: true }];
    this.weight = affine ? this.registerParameter('weight', ones(shape, grad), UNDECAYED) : null;
    this.bias = affine ? this.registerParameter('bias', zeros(shape, grad), UNDECAYED) : null;
    this.#numGroups = numGroups;
    this.#numChannels = numChannels;
    this.#epsilon = epsilon;
  }

  /**
   * `[N, C, ...]` → `[N, C, ...]`
   *
   * @throws ShapeError for another number of channels
   */
  forward(x: Tensor): Tensor {
    const { shape } = asTensor('GroupNorm', 'x', x);
    if (shape[1] !== this.#numChannels) {
      throw new ShapeError(
        `GroupNorm: needs [N, ${this.#numChannels}, ...], got ${formatShape(shape)}`,
      );
    }
    return groupNorm(x, this.#numGroups, this.weight, this.bias, { epsilon: this.#epsilon });
  }
}

/** Size of an `InstanceNorm2d`. */
export interface InstanceNorm2dOptions {
  /** Channels C of the input. */
  readonly numFeatures: number;
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number;
  /** Whether there are a weight and a bias; false by default, as PyTorch. */
  readonly affine?: boolean;
}

/**
 * Normalizes each channel of each image, with parameters `weight` and `bias` `[C]` if they are asked for;
 * see `instanceNorm`. Weight decay leaves them alone by default.
 */
export class InstanceNorm2d extends Module {
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly #numFeatures: number;
  readonly #epsilon: number;

  /** @throws ValueError for a wrong option: `numFeatures` is an integer ≥ 1 */
  constructor(options: InstanceNorm2dOptions) {
    super();
    const {
      numFeatures,
      epsilon = 1e-5,
      affine = false,
    } = readOptions('InstanceNorm2d', options, ['numFeatures', 'epsilon', 'affine']);
    expectInteger('InstanceNorm2d', 'numFeatures', numFeatures, 1);
    expectNotNegative('InstanceNorm2d', 'epsilon', epsilon);
    expectBoolean('InstanceNorm2d', 'affine', affine);
    const [shape, grad] = [[numFeatures], { requiresGrad: true }];
    this.weight = affine ? this.registerParameter('weight', ones(shape, grad), UNDECAYED) : null;
    this.bias = affine ? this.registerParameter('bias', zeros(shape, grad), UNDECAYED) : null;
    this.#numFeatures = numFeatures;
    this.#epsilon = epsilon;
  }

  /**
   * `[N, C, H, W]` → `[N, C, H, W]`
   *
   * @throws ShapeError for another number of axes or channels
   */
  forward(x: Tensor): Tensor {
    const { shape } = asTensor('InstanceNorm2d', 'x', x);
    if (shape.length !== 4 || shape[1] !== this.#numFeatures) {
      throw new ShapeError(
        `InstanceNorm2d: needs images [N, ${this.#numFeatures}, H, W], got ${formatShape(shape)}`,
      );
    }
    return instanceNorm(x, this.weight, this.bias, { epsilon: this.#epsilon });
  }
}
