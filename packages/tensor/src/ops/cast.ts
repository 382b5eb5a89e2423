import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { casts } from '../backend/kernels.ts';
import { expectDType } from '../core/checks.ts';
import { type DType, isFloating } from '../core/dtype.ts';
import type { NdArray } from '../core/ndarray.ts';
import { asAnyTensor, type TensorLike } from './operands.ts';

const castOp = defineOp<[NdArray], { dtype: DType }, { from: DType }>('cast', {
  forward: ([x], { dtype }) => ({ y: casts().cast(x, dtype), saved: { from: x.dtype } }),
  backward: (gradOut, { from }) => [casts().cast(gradOut, from)],
});

/**
 * The same values in another dtype: rounded to the nearest float (of two the even one; an infinity
 * beyond the largest), cut off at the point for integers (wrapping modulo 2^bits beyond their range, NaN
 * and infinities becoming 0), and `x ≠ 0` for bool. Gradients pass between float32 and float64; dtypes
 * that are only stored have none, so none flows back through a cast to float16 and out again.
 *
 * @throws DTypeError for an unknown dtype; ValueError for what int64 does not hold, which never wraps: NaN,
 *   and numbers beyond ±(2⁵³ − 1)
 */
export function cast(x: TensorLike, dtype: DType): Tensor {
  const input = asAnyTensor('cast', 'x', x);
  if (input.dtype === dtype) return input;
  expectDType('cast', dtype);
  // No gradient flows into or out of other dtypes.
  return castOp([isFloating(dtype) ? input : input.detach()], { dtype });
}
