import { defaultGenerator, dropout, type Generator, type Tensor } from '@firelight/tensor';
import { readOptions } from '@firelight/tensor/extend';
import { expectBelowOne } from '../core/checks.ts';
import { Module } from '../module/module.ts';

/** Drops elements with probability `p` while training; the identity otherwise. See `dropout`. */
export class Dropout extends Module {
  readonly #p: number;
  readonly #generator: Generator;

  /**
   * @param options `p`: 0.5 by default (MindSpore 1.x takes keep_prob = 1 − p)
   * @throws ValueError for an unknown option, or if p is not in [0, 1)
   */
  constructor(options: DropoutLayerOptions = {}) {
    super();
    const { p = 0.5, generator = defaultGenerator } = readOptions('Dropout', options, [
      'p',
      'generator',
    ]);
    expectBelowOne('Dropout', 'p', p);
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
