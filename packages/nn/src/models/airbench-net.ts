import {
  type Generator,
  gelu,
  globalMaxPool2d,
  maxPool2d,
  mul,
  ShapeError,
  type Tensor,
  ValueError,
} from '@firelight/tensor';
import {
  asTensor,
  expectInteger,
  expectIntegerList,
  formatShape,
  readOptions,
  sameShape,
} from '@firelight/tensor/extend';
import { dirac, heUniform, type Initializer } from '../initializers/index.ts';
import { BatchNorm2d } from '../layers/batch-norm2d.ts';
import { Conv2d } from '../layers/conv2d.ts';
import { Linear } from '../layers/linear.ts';
import { freezeParameter } from '../module/freezing.ts';
import { Module } from '../module/module.ts';
import { expectImages, tidyWithoutGrad } from './network-input.ts';

/** Sizes and first weights of an `AirbenchNet`. */
export interface AirbenchNetOptions {
  /** Channels of the result; 10 by default. */
  readonly numClasses?: number;
  /** Channels of the three blocks; 64, 256 and 256 by default. */
  readonly widths?: readonly number[];
  /** Channels of the images; 3 by default. */
  readonly inChannels?: number;
  /**
   * Weights of the first convolution, `[8·inChannels, inChannels, 2, 2]`, from `whiteningWeights`; drawn
   * like the others by default. They are not trained either way.
   */
  readonly whitening?: Tensor;
  /** Source of the first weights. */
  readonly generator?: Generator;
}

const WHITENING_SIZE = 2;
/** Factor of the logits. */
const LOGIT_SCALE = 1 / 9;
/** Keeps parameters frozen for good: no module is it, so none unfreezes them. */
const FIXED = {};

/** U(−1/√n, 1/√n), as PyTorch draws. */
const drawn = heUniform({ negativeSlope: Math.sqrt(5) });

/** As many filters as there are input channels pass one on each; the others are drawn. */
const partlyDirac: Initializer = (shape, generator) => {
  const [outChannels, inChannels, ...kernel] = shape;
  const values = drawn(shape, generator);
  values.set(dirac()([Math.min(outChannels, inChannels), inChannels, ...kernel], generator));
  return values;
};

/** Convolution, max-pool, norm, GELU, convolution, norm, GELU. */
class AirbenchBlock extends Module {
  readonly #conv1: Conv2d;
  readonly #norm1: BatchNorm2d;
  readonly #conv2: Conv2d;
  readonly #norm2: BatchNorm2d;

  constructor(inChannels: number, channels: number, generator?: Generator) {
    super();
    this.#conv1 = this.#convolution('conv1', inChannels, channels, generator);
    this.#norm1 = this.#norm('norm1', channels);
    this.#conv2 = this.#convolution('conv2', channels, channels, generator);
    this.#norm2 = this.#norm('norm2', channels);
  }

  #convolution(
    name: string,
    inChannels: number,
    outChannels: number,
    generator?: Generator,
  ): Conv2d {
    const sizes = { inChannels, outChannels, kernelSize: 3, padding: 1, bias: false };
    return this.registerModule(name, new Conv2d({ ...sizes, weightInit: partlyDirac, generator }));
  }

  /** A norm whose scale stays 1. */
  #norm(name: string, numFeatures: number): BatchNorm2d {
    const norm = new BatchNorm2d({ numFeatures, momentum: 0.4, epsilon: 1e-12 });
    for (const scale of norm.parameters('weight')) freezeParameter(scale, FIXED);
    return this.registerModule(name, norm);
  }

  /** `[N, inChannels, H, W]` → `[N, channels, ⌊H / 2⌋, ⌊W / 2⌋]` */
  forward(x: Tensor): Tensor {
    const pooled = maxPool2d(this.#conv1.forward(x), { kernelSize: 2, stride: 2 });
    const half = gelu(this.#norm1.forward(pooled));
    return gelu(this.#norm2.forward(this.#conv2.forward(half)));
  }
}

/**
 * The network of the CIFAR-10 speed record airbench94: a 2×2 convolution that whitens, blocks of two
 * convolutions and a pool, the largest over the image, and a linear layer times 1/9.
 *
 * The first convolution's weights and the scales of norms are not trained; `whiten.freeze()` ends
 * the training of the first bias, too, as the record does after three epochs. The first filters of each
 * convolution pass its input on.
 *
 * @see Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU, arXiv:2404.00498, section 3
 */
export class AirbenchNet extends Module {
  /** The first convolution. */
  readonly whiten: Conv2d;
  readonly #blocks: readonly AirbenchBlock[];
  readonly #head: Linear;
  readonly #inChannels: number;

  /**
   * @throws ValueError for a wrong option; for whitening weights a DTypeError if they are no tensor, a
   *   ShapeError for another shape
   */
  constructor(options: AirbenchNetOptions = {}) {
    super();
    const {
      numClasses = 10,
      widths = [64, 256, 256],
      inChannels = 3,
      whitening,
      generator,
    } = readOptions('AirbenchNet', options, [
      'numClasses',
      'widths',
      'inChannels',
      'whitening',
      'generator',
    ]);
    expectInteger('AirbenchNet', 'numClasses', numClasses, 1);
    expectInteger('AirbenchNet', 'inChannels', inChannels, 1);
    expectIntegerList('AirbenchNet', 'widths', widths, 1);
    if (widths.length === 0) throw new ValueError('AirbenchNet: widths must not be empty');
    this.#inChannels = inChannels;
    const outChannels = 2 * inChannels * WHITENING_SIZE ** 2;
    const shape = [outChannels, inChannels, WHITENING_SIZE, WHITENING_SIZE];
    const filters =
      whitening === undefined ? undefined : asTensor('AirbenchNet', 'whitening', whitening);
    if (filters !== undefined && !sameShape(filters.shape, shape)) {
      throw new ShapeError(
        `AirbenchNet: whitening must be ${formatShape(shape)}, got ${formatShape(filters.shape)}`,
      );
    }
    const weightInit = filters === undefined ? drawn : () => Float64Array.from(filters.data);
    const sizes = { inChannels, outChannels, kernelSize: WHITENING_SIZE };
    this.whiten = this.registerModule('whiten', new Conv2d({ ...sizes, weightInit, generator }));
    freezeParameter(this.whiten.weight, FIXED);
    this.#blocks = widths.map((width, i) => {
      const before = i === 0 ? outChannels : widths[i - 1];
      return this.registerModule(`block${i + 1}`, new AirbenchBlock(before, width, generator));
    });
    const inFeatures = widths[widths.length - 1];
    this.#head = this.registerModule(
      'head',
      new Linear({
        inFeatures,
        outFeatures: numClasses,
        bias: false,
        weightInit: drawn,
        generator,
      }),
    );
  }

  /**
   * Logits of a batch of images.
   *
   * @param x `[N, inChannels, H, W]`; with three blocks H and W must be at least 9
   * @returns `[N, numClasses]`
   * @throws ShapeError if the images have other channels or are too small
   */
  forward(x: Tensor): Tensor {
    const [, , H, W] = expectImages('AirbenchNet', x, this.#inChannels).shape;
    const least = 2 ** this.#blocks.length + WHITENING_SIZE - 1;
    if (Math.min(H, W) < least) {
      throw new ShapeError(
        `AirbenchNet: images of ${H} × ${W} shrink to nothing on the way; use images of at least ` +
          `${least} × ${least}`,
      );
    }
    return tidyWithoutGrad(() => this.#logits(x));
  }

  #logits(x: Tensor): Tensor {
    const whitened = gelu(this.whiten.forward(x));
    const features = this.#blocks.reduce((y, block) => block.forward(y), whitened);
    return mul(this.#head.forward(globalMaxPool2d(features)), LOGIT_SCALE);
  }
}
