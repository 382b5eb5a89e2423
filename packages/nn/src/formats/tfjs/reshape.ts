import { pad, permute, reshape, type Tensor } from '@firelight/tensor';
import { Module } from '../../module/module.ts';

/** Channels, height and width of an image. */
export type ImageShape = readonly [channels: number, height: number, width: number];

/**
 * Brings features that were flattened from images `[C, H, W]` into the order of Keras, in which the
 * channels come last: `[N, C · H · W]` → `[N, H · W · C]`.
 */
export class ToChannelsLast extends Module {
  readonly #image: ImageShape;

  constructor(image: ImageShape) {
    super();
    this.#image = image;
  }

  forward(x: Tensor): Tensor {
    const [N, features] = x.shape;
    return reshape(permute(reshape(x, [N, ...this.#image]), [0, 2, 3, 1]), [N, features]);
  }
}

/** Makes images of features in the order of Keras: `[N, H · W · C]` → `[N, C, H, W]`. */
export class FromChannelsLast extends Module {
  readonly #image: ImageShape;

  constructor(image: ImageShape) {
    super();
    this.#image = image;
  }

  forward(x: Tensor): Tensor {
    const [C, H, W] = this.#image;
    return permute(reshape(x, [x.shape[0], H, W, C]), [0, 3, 1, 2]);
  }
}

/** Puts zeros around images: `[N, C, H, W]` → `[N, C, top + H + bottom, left + W + right]`. */
export class ZeroPadding2d extends Module {
  readonly #margins: readonly (readonly [number, number])[];

  constructor(vertical: readonly [number, number], horizontal: readonly [number, number]) {
    super();
    this.#margins = [[0, 0], [0, 0], vertical, horizontal];
  }

  forward(x: Tensor): Tensor {
    return pad(x, this.#margins);
  }
}
