import { convTranspose1d, type Generator, type Tensor } from '@firelight/tensor';
import { expectBoolean, expectInteger, readOptions } from '@firelight/tensor/extend';
import { type InitializerOption, initialize } from '../initializers/index.ts';
import { Module } from '../module/module.ts';
import { expectChannels } from './channels.ts';

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
    const { inChannels, outChannels, kernelSize, groups = 1, bias = true, generator } = options;
    expectChannels('ConvTranspose1d', options, groups);
    expectBoolean('ConvTranspose1d', 'bias', bias);
    expectInteger('ConvTranspose1d', 'kernelSize', kernelSize, 1);
    const { weightInit = 'he_uniform', biasInit = 0 } = options;
    this.#options = options;
    const shape = [inChannels, outChannels / groups, kernelSize];
    this.weight = this.registerParameter('weight', initialize(weightInit, shape, generator));
    this.bias = bias
      ? this.registerParameter('bias', initialize(biasInit, [outChannels], generator))
      : null;
  }

  /** `[N, inChannels, L]` → `[N, outChannels, L']` */
  forward(x: Tensor): Tensor {
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = this.#options;
    const options = { stride, padding, outputPadding, dilation, groups };
    return convTranspose1d(x, this.weight, this.bias, options);
  }
}
