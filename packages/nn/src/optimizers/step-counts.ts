import { tensor, ValueError } from '@firelight/tensor';
import { expectInteger } from '@firelight/tensor/extend';
import type { StateDict } from '../module/module.ts';

const PREFIX = 'steps.';

/** Steps that each parameter of an optimizer has taken: those in which it had a gradient. */
export class StepCounts {
  /** By parameter; null where a loaded state does not tell. */
  #counts: (number | null)[];

  constructor(parameters: number) {
    this.#counts = new Array(parameters).fill(0);
  }

  /** @param globalStep steps of the optimizer, which stand for those of a parameter that are not known */
  of(index: number, globalStep: number): number {
    return this.#counts[index] ?? globalStep;
  }

  /** Begins a step of the optimizer, from which on all counts are known. */
  begin(globalStep: number): void {
    this.#counts = this.#counts.map((count) => count ?? globalStep);
  }

  add(index: number): void {
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  /** The counts as `steps.<name of the parameter>`, int32 `[1]`. */
  stateDict(names: readonly string[], globalStep: number): StateDict {
    return Object.fromEntries(
      names.map((name, i) => [PREFIX + name, tensor([this.of(i, globalStep)], { dtype: 'int32' })]),
    );
  }

  /**
   * The counts in a state, for `restore`; all unknown if it has none.
   *
   * @throws ValueError if it has only some, or one that cannot be
   */
  static read(optimizer: string, state: StateDict, names: readonly string[]): (number | null)[] {
    const keys = names.map((name) => PREFIX + name);
    if (!keys.some((key) => Object.hasOwn(state, key))) return keys.map(() => null);
    return keys.map((key) => {
      if (!Object.hasOwn(state, key))
        throw new ValueError(`${optimizer}: the state lacks '${key}'`);
      const count = state[key].item();
      expectInteger(optimizer, `'${key}'`, count, 0);
      return count;
    });
  }

  restore(counts: readonly (number | null)[]): void {
    this.#counts = [...counts];
  }
}
