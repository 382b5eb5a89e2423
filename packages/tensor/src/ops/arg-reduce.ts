import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { ArgReduceOp } from '../backend/contract.ts';
import { argReductions } from '../backend/kernels.ts';
import { expectBoolean, normalizeAxis, readOptions } from '../core/checks.ts';
import type { NdArray } from '../core/ndarray.ts';
import { sub } from './arithmetic.ts';
import { flip } from './flip.ts';
import { asTensor, type TensorLike } from './operands.ts';
import { expectElements } from './reduce.ts';
import { reshape } from './reshape.ts';

/** How `argmax` and `argmin` choose and give positions. */
export interface ArgReduceOptions {
  /** Leave the reduced axis in the result, with length 1; false by default. */
  readonly keepDims?: boolean;
  /** Take the last of equal elements, not the first; false by default. */
  readonly selectLast?: boolean;
}

/* @__NO_SIDE_EFFECTS__ */
function defineArgReduce(name: ArgReduceOp) {
  const op = defineOp<[NdArray], { axis: number }, null>(name, {
    forward: ([x], { axis }) => ({ y: argReductions().argReduce(name, x, axis), saved: null }),
    backward: 'none',
    reason: 'positions do not change with the values, except in jumps',
  });
  return (x: TensorLike, axis?: number, options: ArgReduceOptions = {}): Tensor => {
    const { keepDims = false, selectLast = false } = readOptions(name, options, [
      'keepDims',
      'selectLast',
    ]);
    expectBoolean(name, 'keepDims', keepDims);
    expectBoolean(name, 'selectLast', selectLast);
    const whole = asTensor(name, 'x', x);
    const input = axis === undefined ? reshape(whole, [whole.size]) : whole;
    const along = normalizeAxis(name, axis ?? 0, input.shape);
    expectElements(name, input, [along]);
    // The last one is the first from the other end.
    const y = selectLast
      ? sub(input.shape[along] - 1, op([flip(input, along)], { axis: along }))
      : op([input], { axis: along });
    if (!keepDims) return y;
    const kept = axis === undefined ? whole.shape.map(() => 1) : input.shape.with(along, 1);
    return reshape(y, kept);
  };
}

/** Position (int32) of the largest element along an axis, or in all of them; the first of equals. */
export const argmax = defineArgReduce('argmax');

/** Position (int32) of the smallest element along an axis, or in all of them; the first of equals. */
export const argmin = defineArgReduce('argmin');
