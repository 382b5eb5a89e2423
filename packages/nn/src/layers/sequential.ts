import type { Tensor } from '@firelight/tensor';
import { Module } from '../module/module.ts';
import { isPlain } from './activation.ts';
import { BatchNorm2d } from './batch-norm2d.ts';
import { Conv2d } from './conv2d.ts';
import { ReLU } from './relu.ts';

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

  /**
   * The last layer's output. A ReLU right behind a convolution or norm is computed together with it,
   * unless one of them is watched; see `Module.onForward`.
   */
  forward(x: Tensor): Tensor {
    let y = x;
    for (let i = 0; i < this.layers.length; i++) {
      const layer = this.layers[i];
      if (takesActivation(layer) && isPlain(this.layers[i + 1], ReLU)) {
        y = layer.forward(y, { activation: 'relu' });
        i++;
      } else {
        y = layer.forward(y);
      }
    }
    return y;
  }
}

function takesActivation(layer: Module): layer is Conv2d | BatchNorm2d {
  return isPlain(layer, Conv2d) || isPlain(layer, BatchNorm2d);
}
