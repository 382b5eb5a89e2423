import {
  add,
  batchNorm2dBranches,
  concat,
  conv2dBranches,
  type Generator,
  relu,
  type Tensor,
  ValueError,
} from '@firelight/tensor';
import { expectBoolean, expectThat, readOptions } from '@firelight/tensor/extend';
import { Module } from '../module/module.ts';
import { isPlain } from './activation.ts';
import { BatchNorm2d } from './batch-norm2d.ts';
import { Conv2d } from './conv2d.ts';

/** Channels of a `Fire` module. */
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

interface ConvolutionWithNorm {
  readonly convolution: Conv2d;
  readonly norm: BatchNorm2d | null;
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
  readonly #squeeze: ConvolutionWithNorm;
  readonly #expand1x1: ConvolutionWithNorm;
  readonly #expand3x3: ConvolutionWithNorm;
  readonly #bypass: 'none' | 'identity' | ConvolutionWithNorm;

  /** @throws ValueError for a wrong option, or if an identity bypass would change the number of channels */
  constructor(options: FireOptions) {
    super();
    const { inChannels, squeezeChannels, expand1x1Channels, expand3x3Channels } = readOptions(
      'Fire',
      options,
      [
        'inChannels',
        'squeezeChannels',
        'expand1x1Channels',
        'expand3x3Channels',
        'bypass',
        'batchNorm',
        'generator',
      ],
    );
    const { bypass = 'none', batchNorm = false } = options;
    const isBypass = ['none', 'identity', 'conv'].includes(bypass);
    expectThat(isBypass, 'Fire', 'bypass', "'none', 'identity' or 'conv'", bypass);
    expectBoolean('Fire', 'batchNorm', batchNorm);
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
    this.#bypass =
      bypass === 'conv'
        ? this.#convolution('bypass', [inChannels, this.outChannels], 1, options)
        : bypass;
  }

  /** Registers a convolution that keeps height and width, and its batch norm `<name>_bn` if any. */
  #convolution(
    name: string,
    [inChannels, outChannels]: readonly [number, number],
    kernelSize: number,
    { batchNorm = false, generator }: FireOptions,
  ): ConvolutionWithNorm {
    const padding = (kernelSize - 1) / 2;
    const convolution = this.registerModule(
      name,
      new Conv2d({ inChannels, outChannels, kernelSize, padding, generator }),
    );
    if (!batchNorm) return { convolution, norm: null };
    const norm = this.registerModule(`${name}_bn`, new BatchNorm2d({ numFeatures: outChannels }));
    return { convolution, norm };
  }

  /** `[N, inChannels, H, W]` → `[N, expand1x1Channels + expand3x3Channels, H, W]` */
  forward(x: Tensor): Tensor {
    const squeezed = withRelu(this.#squeeze, x);
    const y = this.#expand(squeezed);
    if (this.#bypass === 'none') return y;
    return add(y, this.#bypass === 'identity' ? x : normalized(this.#bypass, x));
  }

  #expand(squeezed: Tensor): Tensor {
    const expands = [this.#expand1x1, this.#expand3x3];
    const norms = expands.flatMap(({ norm }) => norm ?? []);
    // A norm may be frozen, or in another mode, for itself.
    const areAlike = norms.every(({ training }) => training === norms[0].training);
    const arePlain =
      expands.every(({ convolution }) => isPlain(convolution, Conv2d)) &&
      norms.every((norm) => isPlain(norm, BatchNorm2d));
    if (!areAlike || !arePlain) {
      const outputs = expands.map((expand) => normalized(expand, squeezed));
      return relu(concat(outputs, 1));
    }
    const branches = expands.map(({ convolution }) => convolution.branch());
    if (norms.length === 0) return conv2dBranches(squeezed, branches, { activation: 'relu' });
    return batchNorm2dBranches(
      conv2dBranches(squeezed, branches),
      norms.map((norm) => norm.branch()),
      { ...norms[0].settings, activation: 'relu' },
    );
  }
}

function normalized({ convolution, norm }: ConvolutionWithNorm, x: Tensor): Tensor {
  const y = convolution.forward(x);
  return norm === null ? y : norm.forward(y);
}

function withRelu({ convolution, norm }: ConvolutionWithNorm, x: Tensor): Tensor {
  if (norm === null) return convolution.forward(x, { activation: 'relu' });
  return norm.forward(convolution.forward(x), { activation: 'relu' });
}
