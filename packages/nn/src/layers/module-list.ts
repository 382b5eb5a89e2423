import { type Tensor, ValueError } from '@firelight/tensor';
import { Module } from '../module/module.ts';

/** Modules in a list, named `'0'`, `'1'`, …, which a network of your own calls as it likes. */
export class ModuleList<M extends Module = Module> extends Module {
  readonly modules: readonly M[];

  constructor(modules: readonly M[]) {
    super();
    this.modules = modules.map((module, i) => this.registerModule(String(i), module));
  }

  /** @throws ValueError always: a list does not say in which way its modules follow each other */
  forward(_: Tensor): Tensor {
    throw new ValueError(
      'ModuleList: has no forward of its own; call its modules, or take Sequential',
    );
  }

  /** The modules in their order. */
  [Symbol.iterator](): Iterator<M> {
    return this.modules.values();
  }
}
