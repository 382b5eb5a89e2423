import { add, type Generator, type Tensor } from '@firelight/tensor';
import { ReLU6 } from '../layers/activations.ts';
import { BatchNorm2d } from '../layers/batch-norm2d.ts';
import { Sequential } from '../layers/sequential.ts';
import { Module } from '../module/module.ts';
import { type ConvolutionOptions, convolution } from './convolution.ts';

/** A convolution (`0`), batch norm (`1`) and ReLU6. */
export function convNormRelu6(options: ConvolutionOptions): Sequential {
  const norm = new BatchNorm2d({ numFeatures: options.outChannels });
  return new Sequential([convolution(options), norm, new ReLU6()]);
}

/** Sizes of an `InvertedResidual`. */
interface InvertedResidualOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly stride: number;
  /** Inner channels for each of the input; with 1 nothing widens. */
  readonly expansion: number;
  readonly generator?: Generator | undefined;
}

/**
 * Widens by a 1×1 convolution, convolves each channel by itself and narrows by a 1×1 convolution
 * without an activation; the input is added where it has the same shape.
 *
 * @see Sandler et al., arXiv:1801.04381, table 1
 */
export class InvertedResidual extends Module {
  readonly #conv: Sequential;
  readonly #addsInput: boolean;

  constructor(options: InvertedResidualOptions) {
    super();
    const { inChannels, outChannels, stride, expansion, generator } = options;
    const inner = inChannels * expansion;
    const widening =
      expansion === 1
        ? []
        : [convNormRelu6({ inChannels, outChannels: inner, kernelSize: 1, generator })];
    const sizes = { inChannels: inner, generator };
    this.#conv = this.registerModule(
      'conv',
      new Sequential([
        ...widening,
        convNormRelu6({ ...sizes, outChannels: inner, kernelSize: 3, stride, groups: inner }),
        convolution({ ...sizes, outChannels, kernelSize: 1 }),
        new BatchNorm2d({ numFeatures: outChannels }),
      ]),
    );
    this.#addsInput = stride === 1 && inChannels === outChannels;
  }

  /** `[N, inChannels, H, W]` → `[N, outChannels, ⌈H / stride⌉, ⌈W / stride⌉]` */
  forward(x: Tensor): Tensor {
    const y = this.#conv.forward(x);
    return this.#addsInput ? add(x, y) : y;
  }
}
