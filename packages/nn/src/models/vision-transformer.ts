import {
  broadcastTo,
  concat,
  type Generator,
  permute,
  reshape,
  ShapeError,
  slice,
  type Tensor,
} from '@firelight/tensor';
import { expectInteger, expectThat, readOptions } from '@firelight/tensor/extend';
import { expectBelowOne } from '../core/checks.ts';
import { initialize, normal, zeros } from '../initializers/index.ts';
import { Conv2d } from '../layers/conv2d.ts';
import { Linear } from '../layers/linear.ts';
import { Sequential } from '../layers/sequential.ts';
import { Module } from '../module/module.ts';
import { expectImages, expectOneOf, tidyWithoutGrad } from './network-input.ts';
import { VisionEncoder } from './vision-encoder.ts';

/** Sizes that there are names for; see `VisionTransformerOptions`. */
export type VisionTransformerVariant = 'B/16' | 'B/32' | 'L/16' | 'L/32' | 'H/14' | 'cifar';

/** Which vision transformer, for which images. */
export interface VisionTransformerOptions {
  /**
   * Sizes as published, for images of 224×224: base, large or huge, with patches of 16, 32 or 14 pixels;
   * or `'cifar'`, for 32×32 images in ten classes; `'B/16'` by default. Each of them may be given besides.
   */
  readonly variant?: VisionTransformerVariant;
  /** Height and width of the images; a multiple of `patchSize`. */
  readonly imageSize?: number;
  /** Height and width of the patches, each of which becomes a token. */
  readonly patchSize?: number;
  /** Blocks of attention and two linear layers. */
  readonly numLayers?: number;
  /** Heads of the attention. */
  readonly numHeads?: number;
  /** Features of a token; a multiple of `numHeads`. */
  readonly hiddenDim?: number;
  /** Features between the two linear layers. */
  readonly mlpDim?: number;
  /** Channels of the result; 1000 by default, and 10 for `'cifar'`. */
  readonly numClasses?: number;
  /** Probability of dropout of the tokens, behind attention and behind linear layers; 0 by default. */
  readonly dropout?: number;
  /** Probability of dropout of the weights of attention; 0 by default. */
  readonly attentionDropout?: number;
  /** Channels of the images; 3 by default. */
  readonly inChannels?: number;
  /** Source of the first weights and of dropout. */
  readonly generator?: Generator;
}

type Sizes = Readonly<
  Record<
    'imageSize' | 'patchSize' | 'numLayers' | 'numHeads' | 'hiddenDim' | 'mlpDim' | 'numClasses',
    number
  >
>;

const IMAGENET = { imageSize: 224, numClasses: 1000 };
const BASE = { ...IMAGENET, numLayers: 12, numHeads: 12, hiddenDim: 768, mlpDim: 3072 };
const LARGE = { ...IMAGENET, numLayers: 24, numHeads: 16, hiddenDim: 1024, mlpDim: 4096 };
const HUGE = { ...IMAGENET, numLayers: 32, numHeads: 16, hiddenDim: 1280, mlpDim: 5120 };
const CIFAR = { imageSize: 32, numClasses: 10, numLayers: 9, numHeads: 12 };

const VARIANTS: Readonly<Record<VisionTransformerVariant, Sizes>> = {
  'B/16': { ...BASE, patchSize: 16 },
  'B/32': { ...BASE, patchSize: 32 },
  'L/16': { ...LARGE, patchSize: 16 },
  'L/32': { ...LARGE, patchSize: 32 },
  'H/14': { ...HUGE, patchSize: 14 },
  // Lee et al., arXiv:2112.13492
  cifar: { ...CIFAR, hiddenDim: 192, mlpDim: 384, patchSize: 4 },
};

/**
 * ViT: patches of the image and a class token become vectors, which attend to each other in blocks; a
 * linear layer reads the class from its token.
 *
 * Parameters are named as in torchvision: `class_token`, `conv_proj.weight`, `encoder.pos_embedding`,
 * `encoder.layers.encoder_layer_0.ln_1.weight`, `….self_attention.in_proj_weight`, `….mlp.0.weight`, …,
 * `heads.head.bias`. (Its files say `mlp.linear_1` and `mlp.linear_2` for `mlp.0` and `mlp.3`.) First
 * weights as there: patches by N(0, 1 / fanIn), positions by N(0, 0.02²), blocks xavier_uniform, the class
 * token, the last layer and biases 0. Weight decay leaves norms, positions and the class token alone by
 * default.
 *
 * Weights for images of another size are taken by `interpolateEmbeddings`.
 *
 * Parameters with 1000 classes: 86,567,656 (B/16), 88,224,232 (B/32), 304,326,632 (L/16), 306,535,400
 * (L/32), 632,045,800 (H/14); and 2,697,610 of `'cifar'`; 4 bytes each.
 *
 * @see Dosovitskiy et al., arXiv:2010.11929
 */
export class VisionTransformer extends Module {
  readonly #classToken: Tensor;
  readonly #convProj: Conv2d;
  readonly #encoder: VisionEncoder;
  readonly #heads: Sequential;
  readonly #inChannels: number;
  readonly #imageSize: number;

  /**
   * @throws ValueError for an unknown option or variant, sizes that are no integers ≥ 1 or do not divide
   *   one another, or a dropout outside of [0, 1)
   */
  constructor(options: VisionTransformerOptions = {}) {
    super();
    const { variant = 'B/16' } = readOptions('VisionTransformer', options, [
      'variant',
      'imageSize',
      'patchSize',
      'numLayers',
      'numHeads',
      'hiddenDim',
      'mlpDim',
      'numClasses',
      'dropout',
      'attentionDropout',
      'inChannels',
      'generator',
    ]);
    expectOneOf('VisionTransformer', 'variant', variant, Object.keys(VARIANTS));
    const defaults = VARIANTS[variant];
    const {
      imageSize = defaults.imageSize,
      patchSize = defaults.patchSize,
      numLayers = defaults.numLayers,
      numHeads = defaults.numHeads,
      hiddenDim = defaults.hiddenDim,
      mlpDim = defaults.mlpDim,
      numClasses = defaults.numClasses,
      dropout = 0,
      attentionDropout = 0,
      inChannels = 3,
      generator,
    } = options;
    const blocks = { numLayers, numHeads, hiddenDim, mlpDim };
    const counts = { imageSize, patchSize, ...blocks, numClasses, inChannels };
    for (const [name, count] of Object.entries(counts)) {
      expectInteger('VisionTransformer', name, count, 1);
    }
    expectMultiple('imageSize', imageSize, 'patchSize', patchSize);
    expectMultiple('hiddenDim', hiddenDim, 'numHeads', numHeads);
    expectBelowOne('VisionTransformer', 'dropout', dropout);
    expectBelowOne('VisionTransformer', 'attentionDropout', attentionDropout);
    this.#inChannels = inChannels;
    this.#imageSize = imageSize;
    this.#classToken = this.registerParameter(
      'class_token',
      initialize(zeros(), [1, 1, hiddenDim], generator),
      { decay: false },
    );
    this.#convProj = this.registerModule(
      'conv_proj',
      new Conv2d({
        inChannels,
        outChannels: hiddenDim,
        kernelSize: patchSize,
        stride: patchSize,
        weightInit: normal({ sigma: 1 / Math.sqrt(inChannels * patchSize ** 2) }),
        generator,
      }),
    );
    const length = 1 + (imageSize / patchSize) ** 2;
    this.#encoder = this.registerModule(
      'encoder',
      new VisionEncoder({ ...blocks, length, dropout, attentionDropout, generator }),
    );
    const head = new Linear({ inFeatures: hiddenDim, outFeatures: numClasses, weightInit: 0 });
    this.#heads = this.registerModule('heads', new Sequential([['head', head]]));
  }

  /**
   * Logits of a batch of images.
   *
   * @param x `[N, inChannels, imageSize, imageSize]`
   * @returns `[N, numClasses]`
   * @throws ShapeError if the images have other channels or another size
   */
  forward(x: Tensor): Tensor {
    const [, , H, W] = expectImages('VisionTransformer', x, this.#inChannels).shape;
    const size = this.#imageSize;
    if (H !== size || W !== size) {
      throw new ShapeError(
        `VisionTransformer: needs images of ${size} × ${size}, got ${H} × ${W}; resize them, or set ` +
          'imageSize',
      );
    }
    return tidyWithoutGrad(() => this.#logits(x));
  }

  #logits(x: Tensor): Tensor {
    const patches = this.#convProj.forward(x);
    const [N, D, rows, columns] = patches.shape;
    const tokens = permute(reshape(patches, [N, D, rows * columns]), [0, 2, 1]);
    const all = concat([broadcastTo(this.#classToken, [N, 1, D]), tokens], 1);
    const ofClass = slice(this.#encoder.forward(all), [null, [0, 1]]);
    return this.#heads.forward(reshape(ofClass, [N, D]));
  }
}

function expectMultiple(name: string, size: number, part: string, partSize: number): void {
  const rule = `a multiple of ${part} (=${partSize})`;
  expectThat(size % partSize === 0, 'VisionTransformer', name, rule, size);
}
