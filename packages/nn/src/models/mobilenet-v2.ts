import { type Generator, globalAvgPool2d, type Tensor } from '@firelight/tensor';
import { expectInteger, expectThat, readOptions } from '@firelight/tensor/extend';
import { expectBelowOne } from '../core/checks.ts';
import { normal } from '../initializers/index.ts';
import { Dropout } from '../layers/dropout.ts';
import { Linear } from '../layers/linear.ts';
import { Sequential } from '../layers/sequential.ts';
import { Module } from '../module/module.ts';
import { convNormRelu6, InvertedResidual } from './inverted-residual.ts';
import { expectImages, expectOneOf, tidyWithoutGrad } from './network-input.ts';

/** Which MobileNetV2, for which images. */
export interface MobileNetV2Options {
  /** Channels of the result; 1000 by default. */
  readonly numClasses?: number;
  /**
   * Factor of all channels, which are then rounded to multiples of 8; those of the last convolution
   * are never fewer than 1280; 1 by default.
   */
  readonly widthMultiplier?: number;
  /**
   * `'imagenet'` as published, or `'cifar'`, without the strides of the first convolution and of
   * the second stage, for images of 32×32 as they are; `'imagenet'` by default.
   */
  readonly stem?: 'imagenet' | 'cifar';
  /** Probability of dropout before the last layer; 0.2 by default. */
  readonly dropout?: number;
  /** Channels of the images; 3 by default. */
  readonly inChannels?: number;
  /** Source of the first weights and of dropout. */
  readonly generator?: Generator;
}

interface Stage {
  /** Inner channels of a block for each of its input. */
  readonly expansion: number;
  readonly channels: number;
  readonly blocks: number;
  /** Stride of the first block. */
  readonly stride: number;
}

/** Table 2 of the paper. */
const STAGES: readonly Stage[] = [
  { expansion: 1, channels: 16, blocks: 1, stride: 1 },
  { expansion: 6, channels: 24, blocks: 2, stride: 2 },
  { expansion: 6, channels: 32, blocks: 3, stride: 2 },
  { expansion: 6, channels: 64, blocks: 4, stride: 2 },
  { expansion: 6, channels: 96, blocks: 3, stride: 1 },
  { expansion: 6, channels: 160, blocks: 3, stride: 2 },
  { expansion: 6, channels: 320, blocks: 1, stride: 1 },
];

const STEM_CHANNELS = 32;
const LAST_CHANNELS = 1280;

/** The nearest multiple of 8, or the next where that would take more than a tenth away. */
function wholeEights(channels: number): number {
  const nearest = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return nearest < 0.9 * channels ? nearest + 8 : nearest;
}

/**
 * MobileNetV2: a convolution, inverted residual blocks, which widen, convolve each channel by itself
 * and narrow again, a 1×1 convolution, the mean over the image and a linear layer.
 *
 * Parameters are named as in torchvision: `features.0.0.weight`, `features.1.conv.0.0.weight`, …,
 * `classifier.1.bias`; there are 3,504,872 with the defaults. First weights: he_normal by fan_out, the
 * last layer normal with σ 0.01, biases 0.
 *
 * @see Sandler et al., arXiv:1801.04381
 */
export class MobileNetV2 extends Module {
  readonly #features: Sequential;
  readonly #classifier: Sequential;
  readonly #inChannels: number;

  /** @throws ValueError for an unknown option or stem, or a factor that is not above 0 */
  constructor(options: MobileNetV2Options = {}) {
    super();
    const {
      numClasses = 1000,
      widthMultiplier = 1,
      stem = 'imagenet',
      dropout = 0.2,
      inChannels = 3,
      generator,
    } = readOptions('MobileNetV2', options, [
      'numClasses',
      'widthMultiplier',
      'stem',
      'dropout',
      'inChannels',
      'generator',
    ]);
    expectInteger('MobileNetV2', 'numClasses', numClasses, 1);
    expectInteger('MobileNetV2', 'inChannels', inChannels, 1);
    expectBelowOne('MobileNetV2', 'dropout', dropout);
    const isFactor = Number.isFinite(widthMultiplier) && widthMultiplier > 0;
    expectThat(isFactor, 'MobileNetV2', 'widthMultiplier', 'above 0', widthMultiplier);
    expectOneOf('MobileNetV2', 'stem', stem, ['imagenet', 'cifar']);
    this.#inChannels = inChannels;
    const isCifar = stem === 'cifar';

    let channels = wholeEights(STEM_CHANNELS * widthMultiplier);
    const stride = isCifar ? 1 : 2;
    const layers: Module[] = [
      convNormRelu6({ inChannels, outChannels: channels, kernelSize: 3, stride, generator }),
    ];
    STAGES.forEach(({ expansion, blocks, ...stage }, number) => {
      const outChannels = wholeEights(stage.channels * widthMultiplier);
      for (let i = 0; i < blocks; i++) {
        const stride = i > 0 || (isCifar && number === 1) ? 1 : stage.stride;
        const sizes = { inChannels: channels, outChannels, stride, expansion, generator };
        layers.push(new InvertedResidual(sizes));
        channels = outChannels;
      }
    });
    const lastChannels = wholeEights(LAST_CHANNELS * Math.max(1, widthMultiplier));
    layers.push(
      convNormRelu6({ inChannels: channels, outChannels: lastChannels, kernelSize: 1, generator }),
    );
    this.#features = this.registerModule('features', new Sequential(layers));
    this.#classifier = this.registerModule(
      'classifier',
      new Sequential([
        new Dropout({ p: dropout, generator }),
        new Linear({
          inFeatures: lastChannels,
          outFeatures: numClasses,
          weightInit: normal({ sigma: 0.01 }),
          generator,
        }),
      ]),
    );
  }

  /**
   * Logits of a batch of images.
   *
   * @param x `[N, inChannels, H, W]`
   * @returns `[N, numClasses]`
   * @throws ShapeError if the images have other channels
   */
  forward(x: Tensor): Tensor {
    expectImages('MobileNetV2', x, this.#inChannels);
    return tidyWithoutGrad(() =>
      this.#classifier.forward(globalAvgPool2d(this.#features.forward(x))),
    );
  }
}
