import { add, assign, mul, type Tensor, tidy, ValueError } from '@firelight/tensor';
import type { Module, StateDict } from '../module.ts';
import { tensorsOf } from '../state-dict.ts';
import { copyOf } from './copy-of.ts';

const PREFIX = 'average.';

/**
 * Exponential moving average of a network's weights, which often tests better than the last ones:
 * after each step a ← decay · a + (1 − decay) · w. Buffers (running statistics) are averaged too.
 *
 * @see Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992
 */
export class WeightAverage {
  readonly #decay: number;
  /** Of each tensor one average, under all names of the tensor. */
  readonly #pairs: readonly { names: readonly string[]; weight: Tensor; average: Tensor }[];

  /** @throws ValueError unless 0 ≤ decay < 1 */
  constructor(network: Module, { decay }: { readonly decay: number }) {
    if (!(decay >= 0 && decay < 1)) {
      throw new ValueError(`WeightAverage: decay must be in [0, 1), got ${decay}`);
    }
    this.#decay = decay;
    this.#pairs = tensorsOf(network.stateDict()).map(({ names, tensor }) => ({
      names,
      weight: tensor,
      average: copyOf(tensor),
    }));
  }

  /** Takes the present weights in; call it after each step of the optimizer. */
  update(): void {
    const decay = this.#decay;
    tidy(() => {
      for (const { weight, average } of this.#pairs) {
        assign(average, add(mul(average, decay), mul(weight, 1 - decay)));
      }
    });
  }

  /** Runs `body` with the averages in the network, and puts the weights back afterwards. */
  async applied<Result>(body: () => Promise<Result>): Promise<Result> {
    this.#swap();
    try {
      return await body();
    } finally {
      this.#swap();
    }
  }

  #swap(): void {
    for (const { weight, average } of this.#pairs) {
      const held = copyOf(weight);
      assign(weight, average);
      assign(average, held);
      held.dispose();
    }
  }

  /** The averages as `average.<name>`; they share memory with this. */
  stateDict(): StateDict {
    return Object.fromEntries(
      this.#pairs.flatMap(({ names, average }) => names.map((name) => [PREFIX + name, average])),
    );
  }

  /** @throws ValueError with the names that are missing */
  loadStateDict(state: StateDict): void {
    const missing = this.#pairs.filter(({ names: [name] }) => !(PREFIX + name in state));
    if (missing.length > 0) {
      throw new ValueError(
        `WeightAverage: ${PREFIX}${missing[0].names[0]} is missing in the state`,
      );
    }
    for (const { names, average } of this.#pairs) assign(average, state[PREFIX + names[0]]);
  }
}
