import {
  type AvgPool1dOptions,
  adaptiveAvgPool1d,
  avgPool1d,
  maxPool1d,
  type Pool1dOptions,
  type Tensor,
} from '@firelight/tensor';
import { Module } from '../module/module.ts';

/** Largest element of each window of a sequence; see `maxPool1d`. */
export class MaxPool1d extends Module {
  readonly #options: Pool1dOptions;

  constructor(options: Pool1dOptions) {
    super();
    this.#options = options;
  }

  /** `[N, C, L]` → `[N, C, L']` */
  forward(x: Tensor): Tensor {
    return maxPool1d(x, this.#options);
  }
}

/** Mean of each window of a sequence; see `avgPool1d`. */
export class AvgPool1d extends Module {
  readonly #options: AvgPool1dOptions;

  constructor(options: AvgPool1dOptions) {
    super();
    this.#options = options;
  }

  /** `[N, C, L]` → `[N, C, L']` */
  forward(x: Tensor): Tensor {
    return avgPool1d(x, this.#options);
  }
}

/** Mean of each of L′ windows that cover the sequence; see `adaptiveAvgPool1d`. */
export class AdaptiveAvgPool1d extends Module {
  readonly #outputSize: number;

  /** @param outputSize L′ */
  constructor(outputSize: number) {
    super();
    this.#outputSize = outputSize;
  }

  /** `[N, C, L]` → `[N, C, L']` */
  forward(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.#outputSize);
  }
}
