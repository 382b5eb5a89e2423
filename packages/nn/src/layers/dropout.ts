import {
  defaultGenerator,
  dropout,
  type Generator,
  type Tensor,
  ValueError,
} from '@firelight/tensor';
import { Module } from '../module/module.ts';

/** Drops elements with probability `p` while training; the identity otherwise. See `dropout`. */
export class Dropout extends Module {
  readonly #p: number;
  readonly #generator: Generator;

  /**
   * @param options `p`: 0.5 by default (MindSpore 1.x takes keep_prob = 1 − p)
   * @throws ValueError if p is not in [0, 1)
   */
  constructor({ p = 0.5, generator = defaultGenerator }: DropoutLayerOptions = {}) {
    super();
    if (!(p >= 0 && p < 1)) throw new ValueError(`Dropout: p must be in [0, 1), got ${p}`);
    this.#p = p;
    this.#generator = this.registerGenerator(generator);
  }

  forward(x: Tensor): Tensor {
    return dropout(x, { p: this.#p, training: this.training, generator: this.#generator });
  }
}

export interface DropoutLayerOptions {
  readonly p?: number;
  readonly generator?: Generator | undefined;
}
