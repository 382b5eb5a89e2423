import {
  avgPool2d,
  flatten,
  type Generator,
  maxPool2d,
  relu,
  ShapeError,
  type Tensor,
  tanh,
} from '@firelight/tensor';
import { expectInteger, expectThat, readOptions } from '@firelight/tensor/extend';
import { Conv2d } from '../layers/conv2d.ts';
import { Linear } from '../layers/linear.ts';
import { Module } from '../module/module.ts';
import { expectImages, expectOneOf, tidyWithoutGrad } from './network-input.ts';

/** Which LeNet-5, for which images. */
export interface LeNet5Options {
  /** Channels of the result; 10 by default. */
  readonly numClasses?: number;
  /** Channels of the images; 1 by default. */
  readonly inChannels?: number;
  /** Height and width of the images: 32, or 28, around which two zeros are put; 32 by default. */
  readonly imageSize?: 28 | 32;
  /** `'tanh'` by default, as published, or `'relu'`. */
  readonly activation?: 'tanh' | 'relu';
  /** `'avg'` by default, as published but without weights, or `'max'`. */
  readonly pooling?: 'avg' | 'max';
  /** Source of the first weights. */
  readonly generator?: Generator;
}

const POOL = { kernelSize: 2, stride: 2 };

/**
 * LeNet-5: two 5×5 convolutions with pools, and three linear layers. The second convolution sees all
 * channels of the first, and the last layer is linear, so that it has 61,706 parameters.
 *
 * Parameters are named `conv1`, `conv2`, `fc1`, `fc2` and `fc3`. First weights: xavier_uniform for
 * tanh and he_uniform for ReLU, biases 0.
 *
 * @see LeCun et al., Gradient-based learning applied to document recognition, Proc. IEEE 1998
 */
export class LeNet5 extends Module {
  /** The function behind each layer but the last. */
  readonly activation: 'tanh' | 'relu';
  /** What pools take of each window. */
  readonly pooling: 'avg' | 'max';
  readonly #conv1: Conv2d;
  readonly #conv2: Conv2d;
  readonly #fc1: Linear;
  readonly #fc2: Linear;
  readonly #fc3: Linear;
  readonly #activation: (x: Tensor) => Tensor;
  readonly #pool: (x: Tensor) => Tensor;
  readonly #inChannels: number;
  readonly #imageSize: number;

  /** @throws ValueError for an unknown option or choice, or a number of classes below 1 */
  constructor(options: LeNet5Options = {}) {
    super();
    const {
      numClasses = 10,
      inChannels = 1,
      imageSize = 32,
      activation = 'tanh',
      pooling = 'avg',
      generator,
    } = readOptions('LeNet5', options, [
      'numClasses',
      'inChannels',
      'imageSize',
      'activation',
      'pooling',
      'generator',
    ]);
    expectInteger('LeNet5', 'numClasses', numClasses, 1);
    expectInteger('LeNet5', 'inChannels', inChannels, 1);
    expectThat(imageSize === 28 || imageSize === 32, 'LeNet5', 'imageSize', '28 or 32', imageSize);
    expectOneOf('LeNet5', 'activation', activation, ['tanh', 'relu']);
    expectOneOf('LeNet5', 'pooling', pooling, ['avg', 'max']);
    this.activation = activation;
    this.pooling = pooling;
    this.#inChannels = inChannels;
    this.#imageSize = imageSize;
    this.#activation = activation === 'tanh' ? tanh : relu;
    this.#pool = (x) => (pooling === 'avg' ? avgPool2d(x, POOL) : maxPool2d(x, POOL));
    const weightInit = activation === 'tanh' ? 'xavier_uniform' : 'he_uniform';
    const common = { weightInit, generator } as const;
    const padding = (32 - imageSize) / 2;
    this.#conv1 = this.registerModule(
      'conv1',
      new Conv2d({ inChannels, outChannels: 6, kernelSize: 5, padding, ...common }),
    );
    this.#conv2 = this.registerModule(
      'conv2',
      new Conv2d({ inChannels: 6, outChannels: 16, kernelSize: 5, ...common }),
    );
    const linear = (name: string, inFeatures: number, outFeatures: number): Linear =>
      this.registerModule(name, new Linear({ inFeatures, outFeatures, ...common }));
    this.#fc1 = linear('fc1', 16 * 5 * 5, 120);
    this.#fc2 = linear('fc2', 120, 84);
    this.#fc3 = linear('fc3', 84, numClasses);
  }

  /**
   * Logits of a batch of images.
   *
   * @param x `[N, inChannels, imageSize, imageSize]`
   * @returns `[N, numClasses]`
   * @throws ShapeError if the images have other channels or another size
   */
  forward(x: Tensor): Tensor {
    const [, , H, W] = expectImages('LeNet5', x, this.#inChannels).shape;
    const size = this.#imageSize;
    if (H !== size || W !== size) {
      throw new ShapeError(
        `LeNet5: needs images of ${size} × ${size}, got ${H} × ${W}; resize them, or set imageSize`,
      );
    }
    return tidyWithoutGrad(() => this.#logits(x));
  }

  #logits(x: Tensor): Tensor {
    const first = this.#pool(this.#activation(this.#conv1.forward(x)));
    const second = this.#pool(this.#activation(this.#conv2.forward(first)));
    const hidden = this.#activation(this.#fc1.forward(flatten(second, { startAxis: 1 })));
    return this.#fc3.forward(this.#activation(this.#fc2.forward(hidden)));
  }
}
