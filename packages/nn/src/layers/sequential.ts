import type { Tensor } from '@firelight/tensor';
import { Module } from '../module/module.ts';
import { isTracing } from '../tracing.ts';
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

  /** The last layer's output; a ReLU right behind a convolution or norm is computed with it. */
  forward(x: Tensor): Tensor {
    let y = x;
    for (let i = 0; i < this.layers.length; i++) {
      const layer = this.layers[i];
      if (takesActivation(layer) && this.layers[i + 1] instanceof ReLU && !isTracing()) {
        y = layer.forward(y, { activation: 'relu' });
        i++;
      } else {
        y = layer.forward(y);
      }
    }
    return y;
  }
}

/** Whether a layer can apply an activation itself; one whose forward was overridden may not. */
function takesActivation(layer: Module): layer is Conv2d | BatchNorm2d {
  return (
    (layer instanceof Conv2d && layer.forward === Conv2d.prototype.forward) ||
    (layer instanceof BatchNorm2d && layer.forward === BatchNorm2d.prototype.forward)
  );
}
