import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { expectDType } from '../core/checks.ts';
import { type DType, isFloating } from '../core/dtype.ts';
import type { NdArray } from '../core/ndarray.ts';
import { asTensor, type TensorLike } from './operands.ts';

const castOp = defineOp<[NdArray], { dtype: DType }, { from: DType }>('cast', {
  forward: ([x], { dtype }) => ({ y: kernels().cast(x, dtype), saved: { from: x.dtype } }),
  backward: (gradOut, { from }) => [kernels().cast(gradOut, from)],
});

/**
 * The same values in another dtype: rounded to float32, cut off at the point for integers (wrapping
 * modulo 2^bits beyond their range, NaN and infinities becoming 0), and `x ≠ 0` for bool. Gradients
 * pass between floating dtypes.
 *
 * @throws DTypeError for an unknown dtype
 */
export function cast(x: TensorLike, dtype: DType): Tensor {
  const input = asTensor('cast', 'x', x);
  if (input.dtype === dtype) return input;
  expectDType('cast', dtype);
  // No gradient flows into or out of integers.
  return castOp([isFloating(dtype) ? input : input.detach()], { dtype });
}
