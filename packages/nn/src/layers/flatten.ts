import { reshape, ShapeError, type Tensor } from '@firelight/tensor';
import { Module } from '../module.ts';

/** Joins all axes but the first: `[N, ...]` → `[N, Π rest]`. */
export class Flatten extends Module {
  /** @throws ShapeError for a scalar */
  forward(x: Tensor): Tensor {
    if (x.rank === 0) throw new ShapeError('Flatten: needs at least one axis, got a scalar');
    const features = x.shape.slice(1).reduce((product, length) => product * length, 1);
    return reshape(x, [x.shape[0], features]);
  }
}
