import {
  adaptiveAvgPool2d,
  flatten,
  type Generator,
  ShapeError,
  type Tensor,
} from '@firelight/tensor';
import { expectBoolean, expectInteger, readOptions } from '@firelight/tensor/extend';
import { expectBelowOne } from '../core/checks.ts';
import { normal } from '../initializers/index.ts';
import { BatchNorm2d } from '../layers/batch-norm2d.ts';
import { Dropout } from '../layers/dropout.ts';
import { Linear } from '../layers/linear.ts';
import { MaxPool2d } from '../layers/pool2d.ts';
import { ReLU } from '../layers/relu.ts';
import { Sequential } from '../layers/sequential.ts';
import { Module } from '../module/module.ts';
import { convolution } from './convolution.ts';
import { expectDepth, expectImages, tidyWithoutGrad } from './network-input.ts';

/** Layers with weights of the networks that there are. */
export type VGGDepth = 11 | 13 | 16 | 19;

/** Which VGG, for which images. */
export interface VGGOptions {
  /** 16 by default. */
  readonly depth?: VGGDepth;
  /** Batch normalization after each convolution; false by default. */
  readonly batchNorm?: boolean;
  /** Channels of the result; 1000 by default. */
  readonly numClasses?: number;
  /** Probability of dropout behind both hidden linear layers; 0.5 by default. */
  readonly dropout?: number;
  /** Channels of the first stage; 64 by default. */
  readonly width?: number;
  /** Features of both hidden linear layers; 4096 by default. */
  readonly hiddenFeatures?: number;
  /**
   * Height and width to which the features are brought for the first linear layer; 7 by default. With
   * 1 and fewer hidden features it suits images of 32×32, which have shrunk to 1×1.
   */
  readonly poolSize?: number;
  /** Channels of the images; 3 by default. */
  readonly inChannels?: number;
  /** Source of the first weights and of dropout. */
  readonly generator?: Generator;
}

/** Convolutions of the five stages, each of which ends in a max-pool. */
const STAGES: Readonly<Record<VGGDepth, readonly number[]>> = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
};

/** Channels of the five stages as multiples of the first's. */
const WIDTHS = [1, 2, 4, 8, 8];

/** Each stage halves height and width. */
const LEAST_SIZE = 2 ** WIDTHS.length;

/**
 * VGG: stages of 3×3 convolutions between max-pools, and three linear layers.
 *
 * Parameters are named as in torchvision: `features.0.weight`, …, `classifier.6.bias`. First weights:
 * he_normal by fan_out, linear layers normal with σ 0.01, biases 0.
 *
 * Parameters with 1000 classes: 132,863,336 (depth 11), 138,357,544 (16), and with batch norm
 * 132,868,840 and 138,365,992; 4 bytes each, and while they are drawn 8 more.
 *
 * @see Simonyan & Zisserman, arXiv:1409.1556, table 1 (A, B, D and E)
 */
export class VGG extends Module {
  readonly #features: Sequential;
  readonly #classifier: Sequential;
  readonly #poolSize: number;
  readonly #inChannels: number;

  /** @throws ValueError for an unknown option or depth, or numbers that are no integers ≥ 1 */
  constructor(options: VGGOptions = {}) {
    super();
    const {
      depth = 16,
      batchNorm = false,
      numClasses = 1000,
      dropout = 0.5,
      width = 64,
      hiddenFeatures = 4096,
      poolSize = 7,
      inChannels = 3,
      generator,
    } = readOptions('VGG', options, [
      'depth',
      'batchNorm',
      'numClasses',
      'dropout',
      'width',
      'hiddenFeatures',
      'poolSize',
      'inChannels',
      'generator',
    ]);
    expectDepth('VGG', depth, STAGES);
    expectBoolean('VGG', 'batchNorm', batchNorm);
    expectBelowOne('VGG', 'dropout', dropout);
    const counts = { numClasses, width, hiddenFeatures, poolSize, inChannels };
    for (const [name, count] of Object.entries(counts)) expectInteger('VGG', name, count, 1);
    this.#poolSize = poolSize;
    this.#inChannels = inChannels;

    const layers: Module[] = [];
    let channels = inChannels;
    STAGES[depth].forEach((count, stage) => {
      const outChannels = width * WIDTHS[stage];
      for (let i = 0; i < count; i++) {
        layers.push(
          convolution({ inChannels: channels, outChannels, kernelSize: 3, bias: true, generator }),
        );
        if (batchNorm) layers.push(new BatchNorm2d({ numFeatures: outChannels }));
        layers.push(new ReLU());
        channels = outChannels;
      }
      layers.push(new MaxPool2d({ kernelSize: 2, stride: 2 }));
    });
    this.#features = this.registerModule('features', new Sequential(layers));

    const linear = (inFeatures: number, outFeatures: number): Linear =>
      new Linear({ inFeatures, outFeatures, weightInit: normal({ sigma: 0.01 }), generator });
    const drop = (): Dropout => new Dropout({ p: dropout, generator });
    this.#classifier = this.registerModule(
      'classifier',
      new Sequential([
        linear(channels * poolSize ** 2, hiddenFeatures),
        new ReLU(),
        drop(),
        linear(hiddenFeatures, hiddenFeatures),
        new ReLU(),
        drop(),
        linear(hiddenFeatures, numClasses),
      ]),
    );
  }

  /**
   * Logits of a batch of images.
   *
   * @param x `[N, inChannels, H, W]`, H and W at least 32
   * @returns `[N, numClasses]`
   * @throws ShapeError if the images have other channels or would shrink to nothing
   */
  forward(x: Tensor): Tensor {
    const [, , H, W] = expectImages('VGG', x, this.#inChannels).shape;
    if (Math.min(H, W) < LEAST_SIZE) {
      throw new ShapeError(
        `VGG: images of ${H} × ${W} shrink to nothing on the way; use images of at least ` +
          `${LEAST_SIZE} × ${LEAST_SIZE}`,
      );
    }
    return tidyWithoutGrad(() => {
      const features = adaptiveAvgPool2d(this.#features.forward(x), this.#poolSize);
      return this.#classifier.forward(flatten(features, { startAxis: 1 }));
    });
  }
}
