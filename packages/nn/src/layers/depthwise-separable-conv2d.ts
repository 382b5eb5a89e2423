import type { Activation, Generator, PaddingOption, Pair, Tensor } from '@firelight/tensor';
import { expectWindow, readOptions } from '@firelight/tensor/extend';
import type { InitializerOption } from '../initializers/index.ts';
import { Module } from '../module/module.ts';
import type { ActivationOptions } from './activation.ts';
import { Conv2d } from './conv2d.ts';
import { expectConvolution } from './convolution-options.ts';

/** Sizes and first weights of a `DepthwiseSeparableConv2d`. */
export interface DepthwiseSeparableConv2dOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Size of the depthwise kernels. */
  readonly kernelSize: Pair;
  readonly stride?: Pair;
  /** 0 by default. */
  readonly padding?: PaddingOption;
  readonly dilation?: Pair;
  /** Whether both convolutions add a bias; true by default. */
  readonly bias?: boolean;
  /** Applied to the output; `'none'` by default. */
  readonly activation?: Activation;
  /** `'he_uniform'` by default. */
  readonly weightInit?: InitializerOption;
  readonly generator?: Generator | undefined;
}

/**
 * A convolution of each channel by itself (`depthwise`), then a 1×1 convolution of all (`pointwise`),
 * with nothing between them: kH · kW · C + C · C′ weights in place of kH · kW · C · C′.
 *
 * @see Chollet, arXiv:1610.02357; Howard et al., arXiv:1704.04861
 */
export class DepthwiseSeparableConv2d extends Module {
  readonly depthwise: Conv2d;
  readonly pointwise: Conv2d;

  /** @throws ValueError for a wrong option: channels are integers ≥ 1 */
  constructor(options: DepthwiseSeparableConv2dOptions) {
    super();
    const {
      outChannels,
      activation = 'none',
      ...depthwise
    } = readOptions('DepthwiseSeparableConv2d', options, [
      'inChannels',
      'outChannels',
      'kernelSize',
      'stride',
      'padding',
      'dilation',
      'bias',
      'activation',
      'weightInit',
      'generator',
    ]);
    const { inChannels, bias = true, weightInit = 'he_uniform', generator } = options;
    const { kernelSize, stride = 1, padding = 0, dilation = 1 } = options;
    const layer = 'DepthwiseSeparableConv2d';
    expectConvolution(layer, { inChannels, outChannels, bias });
    expectWindow(layer, { kernelSize, stride, padding, dilation, ceilMode: false });
    this.depthwise = this.registerModule(
      'depthwise',
      new Conv2d({ ...depthwise, outChannels: inChannels, groups: inChannels }),
    );
    this.pointwise = this.registerModule(
      'pointwise',
      new Conv2d({
        inChannels,
        outChannels,
        kernelSize: 1,
        bias,
        activation,
        weightInit,
        generator,
      }),
    );
  }

  /**
   * `[N, inChannels, H, W]` → `[N, outChannels, H', W']`
   *
   * @param options `activation`: another one than the layer's own
   */
  forward(x: Tensor, options: ActivationOptions = {}): Tensor {
    return this.pointwise.forward(this.depthwise.forward(x), options);
  }
}
