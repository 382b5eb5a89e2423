import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { ArgReduceOp } from '../backend/contract.ts';
import { kernels } from '../backend/registry.ts';
import { normalizeAxis } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { asTensor, type TensorLike } from './operands.ts';
import { reshape } from './reshape.ts';

function defineArgReduce(name: ArgReduceOp) {
  const op = defineOp<[NdArray], { axis: number }, null>(name, {
    forward: ([x], { axis }) => ({ y: kernels().argReduce(name, x, axis), saved: null }),
    backward: 'none',
    reason: 'positions do not change with the values, except in jumps',
  });
  return (x: TensorLike, axis?: number): Tensor => {
    const whole = asTensor(name, 'x', x);
    const input = axis === undefined ? reshape(whole, [whole.size]) : whole;
    const along = normalizeAxis(name, axis ?? 0, input.shape);
    if (input.shape[along] === 0) {
      throw shapeError(name, 'needs at least one element along the axis', { input: whole });
    }
    return op([input], { axis: along });
  };
}

/** Position (int32) of the largest element along an axis, or in all of them; the first of equals. */
export const argmax = defineArgReduce('argmax');

/** Position (int32) of the smallest element along an axis, or in all of them; the first of equals. */
export const argmin = defineArgReduce('argmin');
