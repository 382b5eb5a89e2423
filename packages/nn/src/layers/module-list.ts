import { type Tensor, ValueError } from '@firelight/tensor';
import { Module } from '../module/module.ts';

/**
 * Modules named `'0'`, `'1'`, … whose owner calls them as it likes; for one after another see
 * `Sequential`.
 */
export class ModuleList<Item extends Module = Module> extends Module implements Iterable<Item> {
  readonly modules: readonly Item[];

  constructor(modules: Iterable<Item> = []) {
    super();
    this.modules = Array.from(modules, (module, i) => this.registerModule(String(i), module));
  }

  /** How many modules there are. */
  get length(): number {
    return this.modules.length;
  }

  /** The modules in order. */
  [Symbol.iterator](): Iterator<Item> {
    return this.modules[Symbol.iterator]();
  }

  /** The module at a position; negative ones count from the end. */
  at(position: number): Item | undefined {
    return this.modules.at(position);
  }

  /** @throws ValueError always: a list does not say in which order its modules are called */
  forward(_x: Tensor): Tensor {
    throw new ValueError('ModuleList: has no forward; call its modules, or use Sequential');
  }
}
