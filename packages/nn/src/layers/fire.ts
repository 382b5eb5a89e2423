import { add, concat, type Generator, relu, type Tensor, ValueError } from '@firelight/tensor';
import { Module } from '../module.ts';
import { BatchNorm2d } from './batch-norm2d.ts';
import { Conv2d } from './conv2d.ts';

export interface FireOptions {
  readonly inChannels: number;
  /** Output channels of the 1×1 squeeze convolution. */
  readonly squeezeChannels: number;
  /** Output channels of the 1×1 expand convolution. */
  readonly expand1x1Channels: number;
  /** Output channels of the 3×3 expand convolution. */
  readonly expand3x3Channels: number;
  /** What is added to the output: nothing, the input, or the input through a 1×1 convolution. */
  readonly bypass?: 'none' | 'identity' | 'conv';
  /** Batch normalization after each convolution; false by default. */
  readonly batchNorm?: boolean;
  readonly generator?: Generator | undefined;
}

/**
 * Fire module: squeeze to few channels, expand by 1×1 and 3×3 kernels side by side.
 *
 * s = relu(squeeze(x)), y = relu([expand1x1(s), expand3x3(s)]) (+ bypass)
 *
 * @see SqueezeNet, arXiv:1602.07360, section 3.2; bypass: section 6
 */
export class Fire extends Module {
  readonly outChannels: number;
  readonly #squeeze: (x: Tensor) => Tensor;
  readonly #expand1x1: (x: Tensor) => Tensor;
  readonly #expand3x3: (x: Tensor) => Tensor;
  readonly #bypass: ((x: Tensor) => Tensor) | null;

  /** @throws ValueError if an identity bypass would change the number of channels */
  constructor(options: FireOptions) {
    super();
    const { inChannels, squeezeChannels, expand1x1Channels, expand3x3Channels } = options;
    const { bypass = 'none' } = options;
    this.outChannels = expand1x1Channels + expand3x3Channels;
    if (bypass === 'identity' && inChannels !== this.outChannels) {
      throw new ValueError(
        `Fire: an identity bypass needs as many output channels (${this.outChannels}) as input ` +
          `channels (${inChannels}); use bypass: 'conv'`,
      );
    }
    this.#squeeze = this.#convolution('squeeze', [inChannels, squeezeChannels], 1, options);
    this.#expand1x1 = this.#convolution(
      'expand1x1',
      [squeezeChannels, expand1x1Channels],
      1,
      options,
    );
    this.#expand3x3 = this.#convolution(
      'expand3x3',
      [squeezeChannels, expand3x3Channels],
      3,
      options,
    );
    if (bypass === 'none') this.#bypass = null;
    else if (bypass === 'identity') this.#bypass = (x) => x;
    else this.#bypass = this.#convolution('bypass', [inChannels, this.outChannels], 1, options);
  }

  /** Registers a convolution that keeps height and width, and its batch norm `<name>_bn` if any. */
  #convolution(
    name: string,
    [inChannels, outChannels]: readonly [number, number],
    kernelSize: number,
    { batchNorm = false, generator }: FireOptions,
  ): (x: Tensor) => Tensor {
    const padding = (kernelSize - 1) / 2;
    const convolution = this.registerModule(
      name,
      new Conv2d({ inChannels, outChannels, kernelSize, padding, generator }),
    );
    if (!batchNorm) return (x) => convolution.forward(x);
    const norm = this.registerModule(`${name}_bn`, new BatchNorm2d({ numFeatures: outChannels }));
    return (x) => norm.forward(convolution.forward(x));
  }

  /** `[N, inChannels, H, W]` → `[N, expand1x1Channels + expand3x3Channels, H, W]` */
  forward(x: Tensor): Tensor {
    const squeezed = relu(this.#squeeze(x));
    const y = relu(concat([this.#expand1x1(squeezed), this.#expand3x3(squeezed)], 1));
    return this.#bypass === null ? y : add(y, this.#bypass(x));
  }
}
