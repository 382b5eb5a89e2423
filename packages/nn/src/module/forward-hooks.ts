import type { Tensor } from '@firelight/tensor';

interface Watchable {
  forward(x: Tensor): Tensor;
}

/** What is to be told of each call of a module's `forward`. */
export class ForwardHooks<Target extends Watchable> {
  readonly #module: Target;
  readonly #hooks = new Set<{ readonly hook: (call: CallOf<Target>) => void }>();
  #endWatching = (): void => {};

  constructor(module: Target) {
    this.#module = module;
  }

  /** @returns a function that takes the hook away again */
  add(hook: (call: CallOf<Target>) => void): () => void {
    const entry = { hook };
    if (this.#hooks.size === 0) this.#watchCalls();
    this.#hooks.add(entry);
    return () => {
      if (this.#hooks.delete(entry) && this.#hooks.size === 0) this.#endWatching();
    };
  }

  /** Puts a `forward` of its own over that of the class, so that a call costs nothing without hooks. */
  #watchCalls(): void {
    const module = this.#module;
    const replaced = Object.getOwnPropertyDescriptor(module, 'forward');
    const { forward } = module;
    const watched = (input: Tensor, ...rest: []): Tensor => {
      const output = forward.call(module, input, ...rest);
      for (const { hook } of this.#hooks) hook({ module, input, output });
      return output;
    };
    const property = { value: watched, configurable: true, writable: true };
    Object.defineProperty(module, 'forward', property);
    this.#endWatching = () => {
      if (replaced === undefined) Reflect.deleteProperty(module, 'forward');
      else Object.defineProperty(module, 'forward', replaced);
    };
  }
}

interface CallOf<Target> {
  readonly module: Target;
  readonly input: Tensor;
  readonly output: Tensor;
}
