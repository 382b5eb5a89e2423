import { adaptiveAvgPool2d, type Pair, type Tensor } from '@firelight/tensor';
import { Module } from '../module/module.ts';

/** Mean of each of H′ × W′ windows that cover the image; see `adaptiveAvgPool2d`. */
export class AdaptiveAvgPool2d extends Module {
  readonly #outputSize: Pair;

  /** @param outputSize `[H', W']`, or one number for both */
  constructor(outputSize: Pair) {
    super();
    this.#outputSize = outputSize;
  }

  /** `[N, C, H, W]` → `[N, C, H', W']` */
  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.#outputSize);
  }
}
