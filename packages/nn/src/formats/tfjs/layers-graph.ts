import type { Tensor } from '@firelight/tensor';
import { Module } from '../../module/module.ts';

/** Makes one tensor of several. */
export type Join = (tensors: readonly Tensor[]) => Tensor;

/** What is computed of the values before it: 0 is the network's input, 1 what the first step gives. */
export interface Step {
  readonly name: string;
  /** A module takes one value. */
  readonly apply: Module | Join;
  readonly inputs: readonly number[];
}

/** Modules whose outputs meet, as `model.json` describes them. */
export class LayersGraph extends Module {
  readonly #steps: readonly Step[];
  readonly #output: number;

  /** @param output which value the network gives */
  constructor(steps: readonly Step[], output: number) {
    super();
    this.#steps = steps;
    this.#output = output;
    for (const { name, apply } of steps) {
      if (apply instanceof Module) this.registerModule(name, apply);
    }
  }

  forward(x: Tensor): Tensor {
    const values = [x];
    for (const { apply, inputs } of this.#steps) {
      const given = inputs.map((place) => values[place]);
      values.push(apply instanceof Module ? apply.forward(given[0]) : apply(given));
    }
    return values[this.#output];
  }
}
