import type { Tensor } from '@firelight/tensor';
import { Module } from '../module.ts';

/** Modules applied one after another, named `'0'`, `'1'`, … or as given. */
export class Sequential extends Module {
  readonly layers: readonly Module[];

  /** @param layers modules, or pairs of name and module */
  constructor(layers: readonly (Module | readonly [name: string, module: Module])[]) {
    super();
    this.layers = layers.map((layer, i) =>
      layer instanceof Module
        ? this.registerModule(String(i), layer)
        : this.registerModule(layer[0], layer[1]),
    );
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer) => layer.forward(y), x);
  }
}
