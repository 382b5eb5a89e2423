import { type Generator, globalAvgPool2d, ShapeError, type Tensor } from '@firelight/tensor';
import { expectBoolean, expectInteger, readOptions, windowCount } from '@firelight/tensor/extend';
import { expectBelowOne } from '../core/checks.ts';
import { normal } from '../initializers/index.ts';
import { BatchNorm2d } from '../layers/batch-norm2d.ts';
import { Conv2d } from '../layers/conv2d.ts';
import { Dropout } from '../layers/dropout.ts';
import { Fire } from '../layers/fire.ts';
import { MaxPool2d } from '../layers/pool2d.ts';
import { ReLU } from '../layers/relu.ts';
import { Sequential } from '../layers/sequential.ts';
import { Module } from '../module/module.ts';
import { fireDimensions, type Metaparameters } from './fire-dimensions.ts';
import { expectImages, expectOneOf, tidyWithoutGrad } from './network-input.ts';

/** Which SqueezeNet, for which images. */
export interface SqueezeNetOptions {
  /** Channels of the result; 1000 by default. */
  readonly numClasses?: number;
  /** 1.0 as in the paper, or 1.1 with 2.4 times less computation; `'1.0'` by default. */
  readonly version?: '1.0' | '1.1';
  /**
   * Sums around Fire modules: `'simple'` around those that keep the number of channels (fire3, 5, 7
   * and 9); `'complex'` also, through a 1×1 convolution, around the others; `'none'` by default.
   */
  readonly bypass?: 'none' | 'simple' | 'complex';
  /** Batch normalization after each convolution; false by default. */
  readonly batchNorm?: boolean;
  /**
   * ReLU after the last convolution; true by default, as in the paper. It can die, and then the loss
   * stays at ln(numClasses): false is the remedy.
   */
  readonly headRelu?: boolean;
  /**
   * First convolution: `'imagenet'` as published (7×7 for 1.0, 3×3 for 1.1, stride 2), or `'cifar'`
   * (3×3, stride 1, padding 1) for images of 32×32 as they are; `'imagenet'` by default.
   */
  readonly stem?: 'imagenet' | 'cifar';
  /**
   * How max-pools round the size of their output: `'floor'` leaves out what is left at the edge, as
   * MindSpore does; `'ceil'` takes it, as Caffe (where the network was published) and torchvision
   * do. Weights from there need `'ceil'`; `'floor'` by default.
   */
  readonly pooling?: 'floor' | 'ceil';
  /** Probability of dropout before the last convolution; 0.5 by default. */
  readonly dropout?: number;
  /** Channels of the images; 3 by default. */
  readonly inChannels?: number;
  /** Channels of the Fire modules by the paper's metaparameters. */
  readonly metaparameters?: Metaparameters;
  /** Source of the first weights and of dropout. */
  readonly generator?: Generator;
}

/** What decides how far the images shrink. */
interface WindowOptions {
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;
  readonly ceilMode?: boolean;
}

const POOL: WindowOptions = { kernelSize: 3, stride: 2, padding: 0 };

interface Architecture {
  readonly stemChannels: number;
  readonly stem: WindowOptions;
  /** Numbers of the layers after which a max-pool follows; 1 is the stem, 2 to 9 are Fire. */
  readonly poolAfter: readonly number[];
}

const ARCHITECTURES: Readonly<Record<'1.0' | '1.1', Architecture>> = {
  '1.0': {
    stemChannels: 96,
    stem: { kernelSize: 7, stride: 2, padding: 0 },
    poolAfter: [1, 4, 8],
  },
  '1.1': {
    stemChannels: 64,
    stem: { kernelSize: 3, stride: 2, padding: 0 },
    poolAfter: [1, 3, 5],
  },
};

const CIFAR_STEM: WindowOptions = { kernelSize: 3, stride: 1, padding: 1 };

/**
 * SqueezeNet: a stem, eight Fire modules between three max-pools, and a convolution to the classes
 * followed by the mean over the image.
 *
 * Parameters are named as in MindSpore's tutorial: `features.0.weight`, `features.3.squeeze.weight`,
 * …, `final_conv.bias`; with `batchNorm`, those of the norm after convolution X start with `X_bn`.
 * First weights: he_uniform, the last convolution normal with σ 0.01, biases 0.
 *
 * @see SqueezeNet, arXiv:1602.07360; for 1.1 forresti/SqueezeNet, SqueezeNet_v1.1/README.md
 */
export class SqueezeNet extends Module {
  /** What is added to the outputs of Fire modules. */
  readonly bypass: 'none' | 'simple' | 'complex';
  /** How max-pools round the size of their output. */
  readonly pooling: 'floor' | 'ceil';
  readonly #features: Sequential;
  readonly #dropout: Dropout;
  readonly #finalConv: Conv2d;
  readonly #finalNorm: BatchNorm2d | null;
  readonly #headRelu: boolean;
  readonly #inChannels: number;
  readonly #windows: readonly WindowOptions[];
  readonly #advice: string;

  /**
   * @throws ValueError for an unknown option, version, bypass, stem or pooling, or a number of classes
   *   below 1
   */
  constructor(options: SqueezeNetOptions = {}) {
    super();
    readOptions('SqueezeNet', options, [
      'numClasses',
      'version',
      'bypass',
      'batchNorm',
      'headRelu',
      'stem',
      'pooling',
      'dropout',
      'inChannels',
      'metaparameters',
      'generator',
    ]);
    const { numClasses = 1000, version = '1.0', bypass = 'none', stem = 'imagenet' } = options;
    const {
      pooling = 'floor',
      batchNorm = false,
      headRelu = true,
      dropout = 0.5,
      inChannels = 3,
      generator,
    } = options;
    expectOneOf('SqueezeNet', 'version', version, Object.keys(ARCHITECTURES));
    expectOneOf('SqueezeNet', 'bypass', bypass, ['none', 'simple', 'complex']);
    expectOneOf('SqueezeNet', 'stem', stem, ['imagenet', 'cifar']);
    expectOneOf('SqueezeNet', 'pooling', pooling, ['floor', 'ceil']);
    expectInteger('SqueezeNet', 'numClasses', numClasses, 1);
    expectInteger('SqueezeNet', 'inChannels', inChannels, 1);
    expectBelowOne('SqueezeNet', 'dropout', dropout);
    expectBoolean('SqueezeNet', 'batchNorm', batchNorm);
    expectBoolean('SqueezeNet', 'headRelu', headRelu);
    const { stemChannels, poolAfter, ...architecture } = ARCHITECTURES[version];
    const stemWindow = stem === 'cifar' ? CIFAR_STEM : architecture.stem;
    this.bypass = bypass;
    this.pooling = pooling;
    const pool = { ...POOL, ceilMode: pooling === 'ceil' };
    this.#windows = [stemWindow, ...poolAfter.map(() => pool)];
    this.#advice = stem === 'cifar' ? '' : " or stem: 'cifar', made for 32 × 32 images";
    this.#inChannels = inChannels;
    this.#headRelu = headRelu;

    const layers: [name: string, module: Module][] = [];
    // Positions count as in the published network, in which batch norm has none.
    let position = 0;
    const append = (module: Module): void => {
      layers.push([String(position++), module]);
    };
    append(new Conv2d({ inChannels, outChannels: stemChannels, ...stemWindow, generator }));
    if (batchNorm) layers.push(['0_bn', new BatchNorm2d({ numFeatures: stemChannels })]);
    append(new ReLU());
    append(new MaxPool2d(pool));
    let channels = stemChannels;
    fireDimensions(options.metaparameters).forEach(({ squeeze, expand1x1, expand3x3 }, i) => {
      const fire = new Fire({
        inChannels: channels,
        squeezeChannels: squeeze,
        expand1x1Channels: expand1x1,
        expand3x3Channels: expand3x3,
        bypass: fireBypass(bypass, channels === expand1x1 + expand3x3),
        batchNorm,
        generator,
      });
      append(fire);
      if (poolAfter.includes(i + 2)) append(new MaxPool2d(pool));
      channels = fire.outChannels;
    });
    this.#features = this.registerModule('features', new Sequential(layers));
    this.#dropout = this.registerModule('dropout', new Dropout({ p: dropout, generator }));
    this.#finalConv = this.registerModule(
      'final_conv',
      new Conv2d({
        inChannels: channels,
        outChannels: numClasses,
        kernelSize: 1,
        weightInit: normal({ sigma: 0.01 }),
        generator,
      }),
    );
    this.#finalNorm = batchNorm
      ? this.registerModule('final_conv_bn', new BatchNorm2d({ numFeatures: numClasses }))
      : null;
  }

  /**
   * Logits of a batch of images.
   *
   * @param x `[N, inChannels, H, W]`
   * @returns `[N, numClasses]`
   * @throws ShapeError if the images have other channels or would shrink to nothing
   */
  forward(x: Tensor): Tensor {
    this.#checkInput(x);
    return tidyWithoutGrad(() => this.#logits(x));
  }

  #logits(x: Tensor): Tensor {
    const features = this.#dropout.forward(this.#features.forward(x));
    const activation = this.#headRelu ? 'relu' : 'none';
    const scores =
      this.#finalNorm === null
        ? this.#finalConv.forward(features, { activation })
        : this.#finalNorm.forward(this.#finalConv.forward(features), { activation });
    return globalAvgPool2d(scores);
  }

  /** Height and width after the last Fire module, for images of `size` × `size`; 0 for none. */
  #shrink(size: number): number {
    return this.#windows.reduce(
      (length, { kernelSize, stride, padding, ceilMode = false }) =>
        Math.max(0, windowCount(length, [padding, padding], kernelSize, stride, { ceilMode })),
      size,
    );
  }

  /**
   * The least height and width of images that this network takes: 35 for 1.0 with its own stem, and
   * 21 where pools round up.
   */
  get smallestInput(): number {
    let size = 1;
    while (this.#shrink(size) < 1) size++;
    return size;
  }

  #checkInput(input: Tensor): void {
    const [, , H, W] = expectImages('SqueezeNet', input, this.#inChannels).shape;
    if (this.#shrink(Math.min(H, W)) < 1) {
      throw new ShapeError(
        `SqueezeNet: images of ${H} × ${W} shrink to nothing on the way; use images of at least ` +
          `${this.smallestInput} × ${this.smallestInput}${this.#advice}`,
      );
    }
  }
}

function fireBypass(
  bypass: 'none' | 'simple' | 'complex',
  keepsChannels: boolean,
): 'none' | 'identity' | 'conv' {
  if (bypass === 'none') return 'none';
  if (keepsChannels) return 'identity';
  return bypass === 'complex' ? 'conv' : 'none';
}
