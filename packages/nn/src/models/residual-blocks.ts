import { add, type Generator, pad, relu, slice, type Tensor } from '@firelight/tensor';
import { BatchNorm2d } from '../layers/batch-norm2d.ts';
import { Sequential } from '../layers/sequential.ts';
import { Module } from '../module/module.ts';
import { type ConvolutionOptions, convolution } from './convolution.ts';

/** What passes by a block that changes the size; see `ResNetOptions`. */
export type Shortcut = 'projection' | 'pad';

/** Sizes of a residual block. */
interface BlockOptions {
  readonly inChannels: number;
  /** Channels of the 3×3 convolutions. */
  readonly channels: number;
  readonly stride: 1 | 2;
  readonly shortcut: Shortcut;
  readonly generator?: Generator | undefined;
}

/** y = relu(residual(x) + shortcut(x)) */
abstract class ResidualBlock extends Module {
  abstract readonly outChannels: number;
  #shortcut: (x: Tensor) => Tensor = (x) => x;

  protected abstract residual(x: Tensor): Tensor;

  /** `[N, inChannels, H, W]` → `[N, outChannels, ⌈H / stride⌉, ⌈W / stride⌉]` */
  forward(x: Tensor): Tensor {
    return relu(add(this.residual(x), this.#shortcut(x)));
  }

  /** Registers a convolution and its batch norm, and gives what they compute together. */
  protected convWithNorm(
    index: 1 | 2 | 3,
    options: ConvolutionOptions,
    activation: 'relu' | 'none',
  ): (x: Tensor) => Tensor {
    const conv = this.registerModule(`conv${index}`, convolution(options));
    const norm = new BatchNorm2d({ numFeatures: options.outChannels, activation });
    this.registerModule(`bn${index}`, norm);
    return (x) => norm.forward(conv.forward(x));
  }

  /** Chooses what passes by; to be called last, so that `downsample` stands last among the names. */
  protected makeShortcut({ inChannels, stride, shortcut, generator }: BlockOptions): void {
    const { outChannels } = this;
    if (stride === 1 && inChannels === outChannels) return;
    if (shortcut === 'projection') {
      const projection = new Sequential([
        convolution({ inChannels, outChannels, kernelSize: 1, stride, generator }),
        new BatchNorm2d({ numFeatures: outChannels }),
      ]);
      this.registerModule('downsample', projection);
      this.#shortcut = (x) => projection.forward(x);
    } else {
      const sampled = [null, null, [null, null, stride], [null, null, stride]] as const;
      const margins = [
        [0, 0],
        [0, outChannels - inChannels],
        [0, 0],
        [0, 0],
      ] as const;
      this.#shortcut = (x) => pad(slice(x, sampled), margins);
    }
  }
}

/**
 * Two 3×3 convolutions around which the input passes.
 *
 * @see He et al., arXiv:1512.03385, figure 5 left
 */
export class BasicBlock extends ResidualBlock {
  readonly outChannels: number;
  readonly #first: (x: Tensor) => Tensor;
  readonly #second: (x: Tensor) => Tensor;

  constructor(options: BlockOptions) {
    super();
    const { inChannels, channels, stride, generator } = options;
    this.outChannels = channels;
    const common = { outChannels: channels, kernelSize: 3, generator } as const;
    this.#first = this.convWithNorm(1, { inChannels, stride, ...common }, 'relu');
    this.#second = this.convWithNorm(2, { inChannels: channels, ...common }, 'none');
    this.makeShortcut(options);
  }

  protected residual(x: Tensor): Tensor {
    return this.#second(this.#first(x));
  }
}

/** Output channels of a bottleneck for each of its 3×3 convolution. */
const EXPANSION = 4;

/**
 * A 1×1 convolution to fewer channels, a 3×3, and a 1×1 to four times as many, around which the input
 * passes.
 *
 * @see He et al., arXiv:1512.03385, figure 5 right
 */
export class Bottleneck extends ResidualBlock {
  readonly outChannels: number;
  readonly #reduce: (x: Tensor) => Tensor;
  readonly #middle: (x: Tensor) => Tensor;
  readonly #expand: (x: Tensor) => Tensor;

  constructor(options: BlockOptions) {
    super();
    const { inChannels, channels, stride, generator } = options;
    const outChannels = channels * EXPANSION;
    this.outChannels = outChannels;
    const [small, wide] = [
      { outChannels: channels, generator },
      { outChannels, generator },
    ];
    this.#reduce = this.convWithNorm(1, { inChannels, kernelSize: 1, ...small }, 'relu');
    this.#middle = this.convWithNorm(
      2,
      { inChannels: channels, kernelSize: 3, stride, ...small },
      'relu',
    );
    this.#expand = this.convWithNorm(3, { inChannels: channels, kernelSize: 1, ...wide }, 'none');
    this.makeShortcut(options);
  }

  protected residual(x: Tensor): Tensor {
    return this.#expand(this.#middle(this.#reduce(x)));
  }
}
