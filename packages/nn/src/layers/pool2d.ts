import {
  type AvgPool2dOptions,
  avgPool2d,
  globalAvgPool2d,
  globalMaxPool2d,
  maxPool2d,
  type Pool2dOptions,
  type Tensor,
} from '@firelight/tensor';
import { readAvgPool2d, readPool2d } from '@firelight/tensor/extend';
import { Module } from '../module/module.ts';

/** Largest element of each window; see `maxPool2d`. */
export class MaxPool2d extends Module {
  readonly #options: Pool2dOptions;

  /** @throws ValueError for a wrong option; see `maxPool2d` */
  constructor(options: Pool2dOptions) {
    super();
    this.#options = readPool2d('MaxPool2d', options);
  }

  /** `[N, C, H, W]` → `[N, C, H', W']` */
  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.#options);
  }
}

/** Mean of each window; see `avgPool2d`. */
export class AvgPool2d extends Module {
  readonly #options: AvgPool2dOptions;

  /** @throws ValueError for a wrong option; see `avgPool2d` */
  constructor(options: AvgPool2dOptions) {
    super();
    this.#options = readAvgPool2d('AvgPool2d', options);
  }

  /** `[N, C, H, W]` → `[N, C, H', W']` */
  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.#options);
  }
}

/** Mean over the whole image; see `globalAvgPool2d`. */
export class GlobalAvgPool2d extends Module {
  /** `[N, C, H, W]` → `[N, C]` */
  forward(x: Tensor): Tensor {
    return globalAvgPool2d(x);
  }
}

/** Largest element of the whole image; see `globalMaxPool2d`. */
export class GlobalMaxPool2d extends Module {
  /** `[N, C, H, W]` → `[N, C]` */
  forward(x: Tensor): Tensor {
    return globalMaxPool2d(x);
  }
}
