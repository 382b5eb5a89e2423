import { conv1d, type Generator, type Padding1d, type Tensor } from '@firelight/tensor';
import { expectInteger, expectSteps1d, readOptions } from '@firelight/tensor/extend';
import type { InitializerOption } from '../initializers/index.ts';
import { Module } from '../module/module.ts';
import { expectConvolution } from './convolution-options.ts';
import { firstWeights } from './first-weights.ts';

/** Sizes and first weights of a `Conv1d`. */
export interface Conv1dLayerOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: number;
  /** Elements between windows; 1 by default. */
  readonly stride?: number;
  /** 0 by default. */
  readonly padding?: Padding1d;
  readonly dilation?: number;
  readonly groups?: number;
  /** Whether to add a bias; true by default. */
  readonly bias?: boolean;
  /** `'he_uniform'` by default. */
  readonly weightInit?: InitializerOption;
  /** 0 by default. */
  readonly biasInit?: InitializerOption;
  readonly generator?: Generator | undefined;
}

/**
 * Convolution layer for sequences with parameters `weight` `[outChannels, inChannels/groups, kernelSize]`
 * and `bias` `[outChannels]`; see `conv1d`.
 */
export class Conv1d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly #options: Conv1dLayerOptions;

  /** @throws ValueError unless channels are integers ≥ 1 that `groups` divides, and `kernelSize` is one */
  constructor(options: Conv1dLayerOptions) {
    super();
    readOptions('Conv1d', options, [
      'inChannels',
      'outChannels',
      'kernelSize',
      'stride',
      'padding',
      'dilation',
      'groups',
      'bias',
      'weightInit',
      'biasInit',
      'generator',
    ]);
    const { inChannels, outChannels, kernelSize, groups = 1 } = options;
    expectConvolution('Conv1d', options);
    expectInteger('Conv1d', 'kernelSize', kernelSize, 1);
    const { stride = 1, padding = 0, dilation = 1 } = options;
    expectSteps1d('Conv1d', { stride, padding, dilation });
    this.#options = options;
    const shape = [outChannels, inChannels / groups, kernelSize];
    const { weight, bias } = firstWeights(options, shape, outChannels);
    this.weight = this.registerParameter('weight', weight);
    this.bias = bias && this.registerParameter('bias', bias);
  }

  /** `[N, inChannels, L]` → `[N, outChannels, L']` */
  forward(x: Tensor): Tensor {
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = this.#options;
    return conv1d(x, this.weight, this.bias, { stride, padding, dilation, groups });
  }
}
