import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';
import { expectIntegers, normalizeAxis } from './operands.ts';

const gatherOp = defineOp<
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
export function gather(x: Tensor, indices: Tensor, axis = 0): Tensor {
  const along = normalizeAxis('gather', axis, x.shape);
  expectIntegers('gather', 'indices', indices);
  const outside = indices.array.data.find((index) => index < 0 || index >= x.shape[along]);
  if (outside !== undefined) {
    throw shapeError(
      'gather',
      `index ${outside} is outside axis ${along} of length ${x.shape[along]}`,
      {
        input: x,
        indices,
      },
    );
  }
  return gatherOp([x, indices], { axis: along });
}
