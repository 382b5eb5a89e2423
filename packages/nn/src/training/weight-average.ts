import { add, assign, mul, type Tensor, tidy, ValueError } from '@firelight/tensor';
import { quote } from '@firelight/tensor/extend';
import { expectBelowOne } from '../core/checks.ts';
import type { Module, StateDict } from '../module/module.ts';
import { expectFit, tensorsOf } from '../module/state-dict.ts';
import { copyOf } from './copy-of.ts';

const RAW = 'without_average.';

/** @throws ValueError unless 0 ≤ decay < 1 */
export function checkDecay(decay: number): void {
  expectBelowOne('Model: averageDecay', 'the decay', decay);
}

/** Whether a state is of a training that averages its weights. */
export function isAveraged(state: StateDict): boolean {
  return Object.keys(state).some((name) => name.startsWith(RAW));
}

/**
 * Exponential moving average of a network's weights, which often tests better than the last ones:
 * after each step a ← decay · a + (1 − decay) · w. Buffers (running statistics) are averaged too.
 *
 * It begins with the weights that the network has when it is made. The network holds the weights
 * that are trained, except between two calls of `swap`.
 *
 * @see Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992
 */
export class WeightAverage {
  readonly #decay: number;
  /** Of each tensor one average, under all names of the tensor. */
  readonly #pairs: readonly { names: readonly string[]; weight: Tensor; average: Tensor }[];

  constructor(network: Module, { decay }: { readonly decay: number }) {
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

  /** Exchanges the weights in the network and the averages; a second call puts them back. */
  swap(): void {
    for (const { weight, average } of this.#pairs) {
      const held = copyOf(weight);
      assign(weight, average);
      assign(average, held);
      held.dispose();
    }
  }

  /**
   * What a training saves: the averages, which are measured, under the network's names, and the
   * weights, with which the training goes on, as `without_average.<name>`. They share memory with
   * this and the network.
   */
  stateDict(): StateDict {
    return Object.fromEntries(
      this.#pairs.flatMap(({ names, weight, average }) =>
        names.flatMap((name) => [
          [name, average],
          [RAW + name, weight],
        ]),
      ),
    );
  }

  /** @throws ValueError with a name that is missing, or ShapeError with the name and both shapes */
  loadStateDict(state: StateDict): void {
    this.prepareStateDict(state)();
  }

  /** Checks all that `loadStateDict` would take; what it returns does so, and cannot fail. */
  prepareStateDict(state: StateDict): () => void {
    const sources = this.#pairs.map(({ names, weight }) => {
      const [average] = names.map((name) => sourceOf(state, name, weight));
      const [raw] = names.map((name) => sourceOf(state, RAW + name, weight));
      return { average, raw };
    });
    return () => {
      this.#pairs.forEach(({ weight, average }, i) => {
        assign(average, sources[i].average);
        assign(weight, sources[i].raw);
      });
    };
  }
}

/** The tensor of a state by its name, of the shape of `like`. */
function sourceOf(state: StateDict, name: string, like: Tensor): Tensor {
  if (!Object.hasOwn(state, name)) {
    throw new ValueError(`WeightAverage: ${quote(name)} is missing in the state`);
  }
  const source = state[name];
  expectFit('WeightAverage', name, source, like);
  return source;
}
