import { defineOp } from '../autograd/define-op.ts';
import { Tensor } from '../autograd/tensor.ts';
import { gathering } from '../backend/kernels.ts';
import { normalizeAxis } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';
import { asAnyTensor, asIntegers, type TensorLike } from './operands.ts';

export const gatherOp = defineOp<
  [NdArray, NdArray],
  { axis: number },
  { indices: NdArray; axis: number; inputShape: Shape }
>('gather', {
  forward: ([x, indices], { axis }) => ({
    y: gathering().gather(x, indices, axis),
    saved: { indices, axis, inputShape: x.shape },
  }),
  backward: (gradOut, { indices, axis, inputShape }) => [
    gathering().gatherGrad(gradOut, indices, axis, inputShape),
    null,
  ],
});

/** `gradOut` added into zeros of the input's shape, at `indices` along `axis`. */
export const gatherGradOp = defineOp<
  [NdArray, NdArray],
  { axis: number; inputShape: Shape },
  { indices: NdArray; axis: number }
>('gatherGrad', {
  forward: ([g, indices], { axis, inputShape }) => ({
    y: gathering().gatherGrad(g, indices, axis, inputShape),
    saved: { indices, axis },
  }),
  backward: (gradOut, { indices, axis }) => [gathering().gather(gradOut, indices, axis), null],
});

/**
 * Positions along an axis as int32, all counted from the front.
 *
 * @throws DTypeError unless they are integers; ShapeError if one lies outside the axis
 */
export function positionsAlong(op: string, x: Tensor, indices: TensorLike, axis: number): Tensor {
  const positions = asIntegers(op, 'indices', indices);
  const length = x.shape[axis];
  const { data } = positions.array;
  const outside = data.find((index) => index < -length || index >= length);
  if (outside !== undefined) {
    throw shapeError(op, `index ${outside} is outside axis ${axis} of length ${length}`, {
      input: x,
      indices: positions,
    });
  }
  if (!data.some((index) => index < 0)) return positions;
  return integers(
    Int32Array.from(data, (index) => (index < 0 ? index + length : index)),
    positions.shape,
  );
}

/** A tensor of whole numbers. */
export function integers(values: Int32Array, shape: Shape): Tensor {
  return new Tensor(NdArray.fromTypedArray(values, shape, 'int32'));
}

/**
 * Picks entries of one axis: y[…, i, …] = x[…, indices[i], …]. An index may occur several times; its
 * gradients add up.
 *
 * @param indices integers, of any shape, which takes the place of `axis` in the result; negative
 *   ones count from the end
 * @throws DTypeError for other dtypes; ShapeError if an index lies outside the axis
 * @see numpy.take
 */
export function gather(x: TensorLike, indices: TensorLike, axis = 0): Tensor {
  const input = asAnyTensor('gather', 'x', x);
  const along = normalizeAxis('gather', axis, input.shape);
  return gatherOp([input, positionsAlong('gather', input, indices, along)], { axis: along });
}
