import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  type Pair,
  type Tensor,
} from '@firelight/tensor';
import { expectInteger, resolvePair } from '@firelight/tensor/extend';
import { Module } from '../module/module.ts';

/** Mean of each of H′ × W′ windows that cover the image; see `adaptiveAvgPool2d`. */
export class AdaptiveAvgPool2d extends Module {
  readonly #outputSize: Pair;

  /**
   * @param outputSize `[H', W']`, or one number for both
   * @throws ValueError unless they are integers ≥ 1
   */
  constructor(outputSize: Pair) {
    super();
    this.#outputSize = resolvePair('AdaptiveAvgPool2d', 'outputSize', outputSize);
  }

  /** `[N, C, H, W]` → `[N, C, H', W']` */
  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.#outputSize);
  }
}

/** Largest element of each of H′ × W′ windows that cover the image; see `adaptiveMaxPool2d`. */
export class AdaptiveMaxPool2d extends Module {
  readonly #outputSize: Pair;

  /**
   * @param outputSize `[H', W']`, or one number for both
   * @throws ValueError unless they are integers ≥ 1
   */
  constructor(outputSize: Pair) {
    super();
    this.#outputSize = resolvePair('AdaptiveMaxPool2d', 'outputSize', outputSize);
  }

  /** `[N, C, H, W]` → `[N, C, H', W']` */
  forward(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.#outputSize);
  }
}

/** Mean of each of L′ windows that cover the sequence; see `adaptiveAvgPool1d`. */
export class AdaptiveAvgPool1d extends Module {
  readonly #outputSize: number;

  /**
   * @param outputSize L′
   * @throws ValueError unless it is an integer ≥ 1
   */
  constructor(outputSize: number) {
    super();
    expectInteger('AdaptiveAvgPool1d', 'outputSize', outputSize, 1);
    this.#outputSize = outputSize;
  }

  /** `[N, C, L]` → `[N, C, L']` */
  forward(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.#outputSize);
  }
}

/** Largest element of each of L′ windows that cover the sequence; see `adaptiveMaxPool1d`. */
export class AdaptiveMaxPool1d extends Module {
  readonly #outputSize: number;

  /**
   * @param outputSize L′
   * @throws ValueError unless it is an integer ≥ 1
   */
  constructor(outputSize: number) {
    super();
    expectInteger('AdaptiveMaxPool1d', 'outputSize', outputSize, 1);
    this.#outputSize = outputSize;
  }

  /** `[N, C, L]` → `[N, C, L']` */
  forward(x: Tensor): Tensor {
    return adaptiveMaxPool1d(x, this.#outputSize);
  }
}
