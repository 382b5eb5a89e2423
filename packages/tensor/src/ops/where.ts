import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { DTypeError, shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { broadcastShapes } from '../core/shape.ts';
import { broadcastTo } from './broadcast-to.ts';
import { asAnyTensor, asTensor, scalar, type TensorLike } from './operands.ts';
import { broadcastOperands } from './promotion.ts';

const whereOp = defineOp<[NdArray, NdArray, NdArray], null, { condition: NdArray }>('where', {
  forward: ([condition, a, b]) => ({
    y: kernels().where(condition, a, b),
    saved: { condition },
  }),
  backward: (gradOut, { condition }, [, needsA, needsB]) => {
    const zeros = kernels().broadcastTo(scalar(0, gradOut.dtype), gradOut.shape);
    return [
      null,
      needsA ? kernels().where(condition, gradOut, zeros) : null,
      needsB ? kernels().where(condition, zeros, gradOut) : null,
    ];
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
  const shape = broadcastShapes(mask.shape, values);
  if (shape === null) {
    throw shapeError('where', 'the condition does not broadcast with the values', {
      condition: mask,
      a: left,
      b: right,
    });
  }
  return whereOp(
    [broadcastTo(mask, shape), broadcastTo(left, shape), broadcastTo(right, shape)],
    null,
  );
}
