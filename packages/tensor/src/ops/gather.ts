import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { normalizeAxis } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';
import { asIntegers, asTensor, type TensorLike } from './operands.ts';

export const gatherOp = defineOp<
  [NdArray, NdArray],
  { axis: number },
  { indices: NdArray; axis: number; inputShape: Shape }
>('gather', {
  forward: ([x, indices], { axis }) => ({
    y: kernels().gather(x, indices, axis),
    saved: { indices, axis, inputShape: x.shape },
  }),
  backward: (gradOut, { indices, axis, inputShape }) => [
    kernels().gatherGrad(gradOut, indices, axis, inputShape),
    null,
  ],
});

/**
 * Picks entries of one axis: y[…, i, …] = x[…, indices[i], …]. An index may occur several times; its
 * gradients add up.
 *
 * @param indices int32 or uint8, of any shape, which takes the place of `axis` in the result
 * @throws DTypeError for other dtypes; ShapeError if an index lies outside the axis
 * @see numpy.take
 */
export function gather(x: TensorLike, indices: TensorLike, axis = 0): Tensor {
  const input = asTensor('gather', 'x', x);
  const positions = asIntegers('gather', 'indices', indices);
  const along = normalizeAxis('gather', axis, input.shape);
  const length = input.shape[along];
  const outside = positions.array.data.find((index) => index < 0 || index >= length);
  if (outside !== undefined) {
    throw shapeError('gather', `index ${outside} is outside axis ${along} of length ${length}`, {
      input,
      indices: positions,
    });
  }
  return gatherOp([input, positions], { axis: along });
}
