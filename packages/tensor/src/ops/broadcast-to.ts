import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { movement } from '../backend/kernels.ts';
import { expectShape } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { broadcastShapes, formatShape, type Shape, sameShape } from '../core/shape.ts';
import { asAnyTensor, sumToShape, type TensorLike } from './operands.ts';

const broadcastOp = defineOp<[NdArray], { shape: Shape }, { inputShape: Shape }>('broadcastTo', {
  forward: ([x], { shape }) => ({
    y: movement().broadcastTo(x, shape),
    saved: { inputShape: x.shape },
  }),
  backward: (gradOut, { inputShape }) => [sumToShape(gradOut, inputShape)],
});

/**
 * Repeats axes of length 1 (and missing leading axes) to fill `shape`.
 *
 * @throws ShapeError if the shapes, aligned at the last axis, do not fit; ValueError for no shape
 */
export function broadcastTo(x: TensorLike, shape: Shape): Tensor {
  const input = asAnyTensor('broadcastTo', 'x', x);
  expectShape('broadcastTo', shape);
  const stretched = broadcastShapes(input.shape, shape) ?? [];
  if (!sameShape(stretched, shape) || input.rank > shape.length) {
    throw shapeError('broadcastTo', `the input does not stretch to ${formatShape(shape)}`, {
      input,
    });
  }
  return broadcastOp([input], { shape });
}
