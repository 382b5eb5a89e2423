import { relu, type Tensor } from '@firelight/tensor';
import { Module } from '../module/module.ts';

/** y = max(0, x) as a layer. */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}
