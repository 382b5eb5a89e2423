import { defaultGenerator, dropout, type Generator, type Tensor } from '@firelight/tensor';
import { expectThat } from '@firelight/tensor/extend';
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
    expectThat(p >= 0 && p < 1, 'Dropout', 'p', 'in [0, 1)', p);
    this.#p = p;
    this.#generator = this.registerGenerator(generator);
  }

  forward(x: Tensor): Tensor {
    return dropout(x, { p: this.#p, training: this.training, generator: this.#generator });
  }
}

/** How many elements a `Dropout` leaves out. */
export interface DropoutLayerOptions {
  readonly p?: number;
  readonly generator?: Generator | undefined;
}
