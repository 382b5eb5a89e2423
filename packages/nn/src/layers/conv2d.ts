import {
  type Activation,
  type Conv2dBranchOptions,
  conv2dBranches,
  type Generator,
  type PaddingOption,
  type Pair,
  type Tensor,
} from '@firelight/tensor';
import { expectWindow, readOptions, resolvePair } from '@firelight/tensor/extend';
import type { InitializerOption } from '../initializers/index.ts';
import { Module } from '../module/module.ts';
import { type ActivationOptions, expectActivation } from './activation.ts';
import { expectConvolution } from './convolution-options.ts';
import { firstWeights } from './first-weights.ts';

/** Sizes and first weights of a `Conv2d`. */
export interface Conv2dLayerOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Pair;
  readonly stride?: Pair;
  /** 0 by default, as PyTorch; MindSpore's default is `'same'`. */
  readonly padding?: PaddingOption;
  readonly dilation?: Pair;
  readonly groups?: number;
  /** Whether to add a bias; true by default. */
  readonly bias?: boolean;
  /** Applied to the output, in the same pass over memory; `'none'` by default. */
  readonly activation?: Activation;
  /** `'he_uniform'` by default. */
  readonly weightInit?: InitializerOption;
  /** 0 by default. */
  readonly biasInit?: InitializerOption;
  readonly generator?: Generator | undefined;
}

/**
 * Convolution layer with parameters `weight` `[outChannels, inChannels/groups, kH, kW]` and `bias`
 * `[outChannels]`; see `conv2d`.
 */
export class Conv2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly activation: Activation;
  readonly #options: Conv2dLayerOptions;

  /** @throws ValueError for a wrong option: channels are integers ≥ 1 that `groups` divides, sizes ≥ 1 */
  constructor(options: Conv2dLayerOptions) {
    super();
    readOptions('Conv2d', options, [
      'inChannels',
      'outChannels',
      'kernelSize',
      'stride',
      'padding',
      'dilation',
      'groups',
      'bias',
      'activation',
      'weightInit',
      'biasInit',
      'generator',
    ]);
    const { inChannels, outChannels, kernelSize, groups = 1 } = options;
    const { stride = 1, padding = 0, dilation = 1 } = options;
    expectConvolution('Conv2d', options);
    expectWindow('Conv2d', { kernelSize, stride, padding, dilation, ceilMode: false });
    const [kH, kW] = resolvePair('Conv2d', 'kernelSize', kernelSize);
    this.#options = options;
    this.activation = expectActivation('Conv2d', options.activation ?? 'none');
    const shape = [outChannels, inChannels / groups, kH, kW];
    const { weight, bias } = firstWeights(options, shape, outChannels);
    this.weight = this.registerParameter('weight', weight);
    this.bias = bias && this.registerParameter('bias', bias);
  }

  /**
   * `[N, inChannels, H, W]` → `[N, outChannels, H', W']`
   *
   * @param options `activation`: another one than the layer's own
   */
  forward(x: Tensor, { activation = this.activation }: ActivationOptions = {}): Tensor {
    return conv2dBranches(x, [this.branch()], { activation });
  }

  /** This convolution as one of several with the same input; see `conv2dBranches`. */
  branch(): Conv2dBranchOptions {
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = this.#options;
    return { weight: this.weight, bias: this.bias, stride, padding, dilation, groups };
  }
}
