import { reshape, ShapeError, type Tensor } from '@firelight/tensor';
import { asTensor, elementCount } from '@firelight/tensor/extend';
import { Module } from '../module/module.ts';

/** Joins all axes but the first: `[N, ...]` → `[N, Π rest]`. */
export class Flatten extends Module {
  /** @throws ShapeError for a scalar; DTypeError for what is no tensor */
  forward(x: Tensor): Tensor {
    const { shape } = asTensor('Flatten', 'x', x);
    if (shape.length === 0) throw new ShapeError('Flatten: needs at least one axis, got a scalar');
    const features = elementCount(shape.slice(1));
    return reshape(x, [shape[0], features]);
  }
}
