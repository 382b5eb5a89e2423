import { convTranspose2d, type Generator, type Pair, type Tensor } from '@firelight/tensor';
import { expectTransposedWindow, readOptions, resolvePair } from '@firelight/tensor/extend';
import type { InitializerOption } from '../initializers/index.ts';
import { Module } from '../module/module.ts';
import { expectConvolution } from './convolution-options.ts';
import { firstWeights } from './first-weights.ts';

/** Sizes and first weights of a `ConvTranspose2d`. */
export interface ConvTranspose2dLayerOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Pair;
  /** Pixels of the output between windows; 1 by default. */
  readonly stride?: Pair;
  /** Pixels cut from each side of the output; 0 by default. */
  readonly padding?: Pair;
  /** Pixels added to the output's bottom and right; 0 by default. */
  readonly outputPadding?: Pair;
  readonly dilation?: Pair;
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
 * Transposed convolution layer with parameters `weight` `[inChannels, outChannels/groups, kH, kW]` and
 * `bias` `[outChannels]`; see `convTranspose2d`.
 */
export class ConvTranspose2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly #options: ConvTranspose2dLayerOptions;

  /** @throws ValueError for a wrong option: channels are integers ≥ 1 that `groups` divides */
  constructor(options: ConvTranspose2dLayerOptions) {
    super();
    readOptions('ConvTranspose2d', options, [
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
    expectConvolution('ConvTranspose2d', options);
    expectTransposedWindow('ConvTranspose2d', options);
    const [kH, kW] = resolvePair('ConvTranspose2d', 'kernelSize', kernelSize);
    this.#options = options;
    const shape = [inChannels, outChannels / groups, kH, kW];
    const { weight, bias } = firstWeights(options, shape, outChannels);
    this.weight = this.registerParameter('weight', weight);
    this.bias = bias && this.registerParameter('bias', bias);
  }

  /** `[N, inChannels, H, W]` → `[N, outChannels, H', W']` */
  forward(x: Tensor): Tensor {
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = this.#options;
    const options = { stride, padding, outputPadding, dilation, groups };
    return convTranspose2d(x, this.weight, this.bias, options);
  }
}
