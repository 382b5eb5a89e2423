import { type InterpolateOptions, interpolate, type Tensor } from '@firelight/tensor';
import { readInterpolate } from '@firelight/tensor/extend';
import { Module } from '../module/module.ts';

/** Images of another size, the nearest pixels or weighted sums of those around; see `interpolate`. */
export class Upsample extends Module {
  readonly #options: InterpolateOptions;

  /**
   * @param options `size` or `scale`, and how pixels are found
   * @throws ValueError for a wrong option; see `interpolate`
   */
  constructor(options: InterpolateOptions) {
    super();
    readInterpolate('Upsample', options);
    this.#options = options;
  }

  /** `[N, C, d…]` → `[N, C, d'…]` */
  forward(x: Tensor): Tensor {
    return interpolate(x, this.#options);
  }
}
