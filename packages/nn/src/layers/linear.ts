import { add, type Generator, matmul, type Tensor } from '@firelight/tensor';
import { expectBoolean, expectInteger, readOptions } from '@firelight/tensor/extend';
import type { InitializerOption } from '../initializers/index.ts';
import { Module } from '../module/module.ts';
import { firstWeights } from './first-weights.ts';

/** Sizes and first weights of a `Linear`. */
export interface LinearOptions {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** Whether to add a bias; true by default. */
  readonly bias?: boolean;
  /** `'he_uniform'` by default. */
  readonly weightInit?: InitializerOption;
  /** 0 by default. */
  readonly biasInit?: InitializerOption;
  readonly generator?: Generator | undefined;
}

/**
 * Fully connected layer y = x · weightᵀ + bias with `weight` `[outFeatures, inFeatures]` and `bias`
 * `[outFeatures]` (MindSpore's Dense).
 */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;

  /** @throws ValueError for a wrong option: both numbers of features are integers ≥ 1 */
  constructor(options: LinearOptions) {
    super();
    const {
      inFeatures,
      outFeatures,
      bias: hasBias = true,
    } = readOptions('Linear', options, [
      'inFeatures',
      'outFeatures',
      'bias',
      'weightInit',
      'biasInit',
      'generator',
    ]);
    for (const [name, features] of Object.entries({ inFeatures, outFeatures })) {
      expectInteger('Linear', name, features, 1);
    }
    expectBoolean('Linear', 'bias', hasBias);
    const { weight, bias } = firstWeights(options, [outFeatures, inFeatures], outFeatures);
    this.weight = this.registerParameter('weight', weight);
    this.bias = bias && this.registerParameter('bias', bias);
  }

  /** `[..., inFeatures]` → `[..., outFeatures]` */
  forward(x: Tensor): Tensor {
    const y = matmul(x, this.weight, { transposeB: true });
    return this.bias === null ? y : add(y, this.bias);
  }
}
