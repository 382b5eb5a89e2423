import {
  type AvgPool1dOptions,
  avgPool1d,
  maxPool1d,
  type Pool1dOptions,
  type Tensor,
} from '@firelight/tensor';
import { readAvgPool1d, readPool1d } from '@firelight/tensor/extend';
import { Module } from '../module/module.ts';

/** Largest element of each window of a sequence; see `maxPool1d`. */
export class MaxPool1d extends Module {
  readonly #options: Pool1dOptions;

  /** @throws ValueError for a wrong option; see `maxPool1d` */
  constructor(options: Pool1dOptions) {
    super();
    this.#options = readPool1d('MaxPool1d', options);
  }

  /** `[N, C, L]` → `[N, C, L']` */
  forward(x: Tensor): Tensor {
    return maxPool1d(x, this.#options);
  }
}

/** Mean of each window of a sequence; see `avgPool1d`. */
export class AvgPool1d extends Module {
  readonly #options: AvgPool1dOptions;

  /** @throws ValueError for a wrong option; see `avgPool1d` */
  constructor(options: AvgPool1dOptions) {
    super();
    this.#options = readAvgPool1d('AvgPool1d', options);
  }

  /** `[N, C, L]` → `[N, C, L']` */
  forward(x: Tensor): Tensor {
    return avgPool1d(x, this.#options);
  }
}
