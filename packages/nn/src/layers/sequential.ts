import type { Tensor } from '@firelight/tensor';
import { Module } from '../module.ts';
import { isTracing } from '../tracing.ts';
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

  /** The last layer's output; a ReLU right behind a convolution is computed together with it. */
  forward(x: Tensor): Tensor {
    let y = x;
    for (let i = 0; i < this.layers.length; i++) {
      const layer = this.layers[i];
      const isFused = layer instanceof Conv2d && this.layers[i + 1] instanceof ReLU;
      if (isFused && !isTracing()) {
        y = layer.forward(y, { activation: 'relu' });
        i++;
      } else {
        y = layer.forward(y);
      }
    }
    return y;
  }
}
