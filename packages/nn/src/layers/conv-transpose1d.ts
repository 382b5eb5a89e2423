import { convTranspose1d, type Generator, type Tensor } from '@firelight/tensor';
import { expectInteger, expectTransposedSteps1d, readOptions } from '@firelight/tensor/extend';
import type { InitializerOption } from '../initializers/index.ts';
import { Module } from '../module/module.ts';
import { expectConvolution } from './convolution-options.ts';
import { firstWeights } from './first-weights.ts';

/** Sizes and first weights of a `ConvTranspose1d`. */
export interface ConvTranspose1dLayerOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: number;
  /** Elements of the output between windows; 1 by default. */
  readonly stride?: number;
  /** Elements cut from each end of the output; 0 by default. */
  readonly padding?: number;
  /** Elements added to the output's end; 0 by default. */
  readonly outputPadding?: number;
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
 * Transposed convolution layer for sequences with parameters `weight`
 * `[inChannels, outChannels/groups, kernelSize]` and `bias` `[outChannels]`; see `convTranspose1d`.
 */
export class ConvTranspose1d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly #options: ConvTranspose1dLayerOptions;

  /** @throws ValueError unless channels are integers ≥ 1 that `groups` divides, and `kernelSize` is one */
  constructor(options: ConvTranspose1dLayerOptions) {
    super();
    readOptions('ConvTranspose1d', options, [
      'inChannels',
      'outChannels',
      'kernelSize',
      'stride',
      'padding',
      'outputPadding',
      'dilation',
      'groups',
      'bias',
      'weightInit',
      'biasInit',
      'generator',
    ]);
    const { inChannels, outChannels, kernelSize, groups = 1 } = options;
    expectConvolution('ConvTranspose1d', options);
    expectInteger('ConvTranspose1d', 'kernelSize', kernelSize, 1);
    expectTransposedSteps1d('ConvTranspose1d', options);
    this.#options = options;
    const shape = [inChannels, outChannels / groups, kernelSize];
    const { weight, bias } = firstWeights(options, shape, outChannels);
    this.weight = this.registerParameter('weight', weight);
    this.bias = bias && this.registerParameter('bias', bias);
  }

  /** `[N, inChannels, L]` → `[N, outChannels, L']` */
  forward(x: Tensor): Tensor {
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = this.#options;
    const options = { stride, padding, outputPadding, dilation, groups };
    return convTranspose1d(x, this.weight, this.bias, options);
  }
}
