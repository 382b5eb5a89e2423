import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { choice } from '../backend/kernels.ts';
import { DTypeError, shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { broadcastShapes, type Shape } from '../core/shape.ts';
import { asAnyTensor, asTensor, scalar, sumToShape, type TensorLike } from './operands.ts';
import { broadcastOperands } from './promotion.ts';

const whereOp = defineOp<
  [NdArray, NdArray, NdArray],
  null,
  { condition: NdArray; shapes: { a: Shape; b: Shape } }
>('where', {
  forward: ([condition, a, b]) => ({
    y: choice().where(condition, a, b),
    saved: { condition, shapes: { a: a.shape, b: b.shape } },
  }),
  backward: (gradOut, { condition, shapes }, [, needsA, needsB]) => {
    const zero = scalar(0, gradOut.dtype);
    const ofA = (): NdArray => sumToShape(choice().where(condition, gradOut, zero), shapes.a);
    const ofB = (): NdArray => sumToShape(choice().where(condition, zero, gradOut), shapes.b);
    return [null, needsA ? ofA() : null, needsB ? ofB() : null];
  },
});

/**
 * y = a where `condition` is true, else b, elementwise with broadcasting.
 *
 * @param condition bool, or an array of booleans
 * @throws DTypeError if `condition` is not bool; ShapeError if the shapes do not broadcast
 */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  const mask = asTensor('where', 'condition', condition);
  if (mask.dtype !== 'bool') {
    throw new DTypeError(`where: condition must be bool (from a comparison), got ${mask.dtype}`);
  }
  const [left, right] = broadcastOperands('where', a, b, asAnyTensor);
  const values = broadcastShapes(left.shape, right.shape) as number[]; // broadcastOperands checked.
  if (broadcastShapes(mask.shape, values) === null) {
    throw shapeError('where', 'the condition does not broadcast with the values', {
      condition: mask,
      a: left,
      b: right,
    });
  }
  return whereOp([mask, left, right], null);
}
