import { type Generator, globalAvgPool2d, maxPool2d, type Tensor } from '@firelight/tensor';
import { expectInteger, readOptions } from '@firelight/tensor/extend';
import { heUniform } from '../initializers/index.ts';
import { BatchNorm2d } from '../layers/batch-norm2d.ts';
import type { Conv2d } from '../layers/conv2d.ts';
import { Linear } from '../layers/linear.ts';
import { Sequential } from '../layers/sequential.ts';
import { Module } from '../module/module.ts';
import { convolution } from './convolution.ts';
import { expectDepth, expectImages, expectOneOf, tidyWithoutGrad } from './network-input.ts';
import { BasicBlock, Bottleneck, type Shortcut } from './residual-blocks.ts';

/** Layers with weights of the networks that there are. */
export type ResNetDepth = 18 | 34 | 50 | 101 | 152 | 20 | 32 | 44 | 56 | 110;

/** Which ResNet, for which images. */
export interface ResNetOptions {
  /**
   * 18, 34, 50, 101 or 152: the networks for ImageNet, with four stages; 20, 32, 44, 56 or 110: those for
   * CIFAR-10, with three; 18 by default.
   */
  readonly depth?: ResNetDepth;
  /** Channels of the result; 1000 by default, and 10 for the networks for CIFAR-10. */
  readonly numClasses?: number;
  /**
   * First layers: `'imagenet'` (7×7, stride 2, and a max-pool), or `'cifar'` (3×3, stride 1, no
   * pool) for images of 32×32 as they are; as the paper has it for the depth by default.
   */
  readonly stem?: 'imagenet' | 'cifar';
  /**
   * What passes by the blocks that change the size: `'projection'`, a 1×1 convolution (option B of
   * the paper), or `'pad'`, every second pixel and channels of zeros (option A); by default
   * `'projection'`, and `'pad'` for the networks for CIFAR-10.
   */
  readonly shortcut?: Shortcut;
  /** Channels of the first stage; 64 by default, and 16 for the networks for CIFAR-10. */
  readonly width?: number;
  /** Channels of the images; 3 by default. */
  readonly inChannels?: number;
  /** Source of the first weights. */
  readonly generator?: Generator;
}

interface Architecture {
  readonly block: typeof BasicBlock | typeof Bottleneck;
  /** Blocks of each stage. */
  readonly stages: readonly number[];
  readonly defaults: Required<Pick<ResNetOptions, 'numClasses' | 'stem' | 'shortcut' | 'width'>>;
}

const IMAGENET = { numClasses: 1000, stem: 'imagenet', shortcut: 'projection', width: 64 } as const;
const CIFAR = { numClasses: 10, stem: 'cifar', shortcut: 'pad', width: 16 } as const;

const ARCHITECTURES: Readonly<Record<ResNetDepth, Architecture>> = {
  18: { block: BasicBlock, stages: [2, 2, 2, 2], defaults: IMAGENET },
  34: { block: BasicBlock, stages: [3, 4, 6, 3], defaults: IMAGENET },
  50: { block: Bottleneck, stages: [3, 4, 6, 3], defaults: IMAGENET },
  101: { block: Bottleneck, stages: [3, 4, 23, 3], defaults: IMAGENET },
  152: { block: Bottleneck, stages: [3, 8, 36, 3], defaults: IMAGENET },
  20: { block: BasicBlock, stages: [3, 3, 3], defaults: CIFAR },
  32: { block: BasicBlock, stages: [5, 5, 5], defaults: CIFAR },
  44: { block: BasicBlock, stages: [7, 7, 7], defaults: CIFAR },
  56: { block: BasicBlock, stages: [9, 9, 9], defaults: CIFAR },
  110: { block: BasicBlock, stages: [18, 18, 18], defaults: CIFAR },
};

const STEMS = {
  imagenet: { kernelSize: 7, stride: 2 },
  cifar: { kernelSize: 3, stride: 1 },
} as const;

const POOL = { kernelSize: 3, stride: 2, padding: 1 };

/**
 * ResNet: a stem, stages of residual blocks, each with half the height and width and twice the
 * channels of the one before, the mean over the image and a linear layer.
 *
 * Parameters are named as in torchvision: `conv1.weight`, `bn1.weight`, `layer1.0.conv1.weight`, …,
 * `layer2.0.downsample.0.weight`, `fc.bias`. First weights: he_normal by fan_out, the last layer
 * U(−1/√n, 1/√n), biases 0. From depth 50 on for ImageNet the 3×3 convolution has the stride, as in torchvision.
 *
 * Parameters with the defaults: 11,689,512 (depth 18), 21,797,672 (34), 25,557,032 (50), 44,549,160 (101),
 * 60,192,808 (152), and 269,722 (20; 272,474 with `shortcut: 'projection'`).
 *
 * @see He et al., arXiv:1512.03385; for CIFAR-10 section 4.2
 */
export class ResNet extends Module {
  readonly #conv1: Conv2d;
  readonly #bn1: BatchNorm2d;
  readonly #stages: readonly Sequential[];
  readonly #fc: Linear;
  readonly #hasPool: boolean;
  readonly #inChannels: number;

  /** @throws ValueError for an unknown option or choice, or numbers that are no integers ≥ 1 */
  constructor(options: ResNetOptions = {}) {
    super();
    const { depth = 18 } = readOptions('ResNet', options, [
      'depth',
      'numClasses',
      'stem',
      'shortcut',
      'width',
      'inChannels',
      'generator',
    ]);
    expectDepth('ResNet', depth, ARCHITECTURES);
    const { block: Block, stages, defaults } = ARCHITECTURES[depth];
    const {
      numClasses = defaults.numClasses,
      stem = defaults.stem,
      shortcut = defaults.shortcut,
      width = defaults.width,
      inChannels = 3,
      generator,
    } = options;
    expectInteger('ResNet', 'numClasses', numClasses, 1);
    expectInteger('ResNet', 'width', width, 1);
    expectInteger('ResNet', 'inChannels', inChannels, 1);
    expectOneOf('ResNet', 'stem', stem, Object.keys(STEMS));
    expectOneOf('ResNet', 'shortcut', shortcut, ['projection', 'pad']);
    this.#inChannels = inChannels;
    this.#hasPool = stem === 'imagenet';
    this.#conv1 = this.registerModule(
      'conv1',
      convolution({ inChannels, outChannels: width, ...STEMS[stem], generator }),
    );
    this.#bn1 = this.registerModule('bn1', new BatchNorm2d({ numFeatures: width }));
    let channels = width;
    this.#stages = stages.map((count, stage) => {
      const blocks = Array.from({ length: count }, (_, i) => {
        const block = new Block({
          inChannels: channels,
          channels: width * 2 ** stage,
          stride: stage > 0 && i === 0 ? 2 : 1,
          shortcut,
          generator,
        });
        channels = block.outChannels;
        return block;
      });
      return this.registerModule(`layer${stage + 1}`, new Sequential(blocks));
    });
    this.#fc = this.registerModule(
      'fc',
      new Linear({
        inFeatures: channels,
        outFeatures: numClasses,
        weightInit: heUniform({ negativeSlope: Math.sqrt(5) }),
        generator,
      }),
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
    expectImages('ResNet', x, this.#inChannels);
    return tidyWithoutGrad(() => this.#logits(x));
  }

  #logits(x: Tensor): Tensor {
    const stem = this.#bn1.forward(this.#conv1.forward(x), { activation: 'relu' });
    const first = this.#hasPool ? maxPool2d(stem, POOL) : stem;
    const features = this.#stages.reduce((y, stage) => stage.forward(y), first);
    return this.#fc.forward(globalAvgPool2d(features));
  }
}
