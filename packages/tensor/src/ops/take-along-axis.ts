import type { Tensor } from '../autograd/tensor.ts';
import { normalizeAxis } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import { splitAtAxis } from '../core/shape.ts';
import { gatherOp, integers, positionsAlong } from './gather.ts';
import { asAnyTensor, type TensorLike } from './operands.ts';
import { asLines, reshape } from './reshape.ts';

/**
 * Positions along an axis as positions among all elements of a tensor, flat.
 *
 * @param indices have the rank of x, and on every other axis at most its length
 * @throws ShapeError if they have not, or one lies outside the axis; DTypeError unless they are integers
 */
export function flatPositions(op: string, x: Tensor, indices: TensorLike, axis: number): Tensor {
  const positions = positionsAlong(op, x, indices, axis);
  const { shape } = positions;
  const fits =
    shape.length === x.rank && shape.every((length, i) => i === axis || length <= x.shape[i]);
  if (!fits) {
    const rule = `indices must have as many axes as the input, and be no longer on any but axis ${axis}`;
    throw shapeError(op, rule, { input: x, indices: positions });
  }
  const { data } = positions.array;
  const flat = new Int32Array(data.length);
  const strides = x.shape.map((_, i) => splitAtAxis(x.shape, i)[2]);
  const index = new Array<number>(shape.length).fill(0);
  for (let at = 0; at < flat.length; at++) {
    let offset = 0;
    for (let i = 0; i < shape.length; i++) {
      offset += (i === axis ? data[at] : index[i]) * strides[i];
    }
    flat[at] = offset;
    for (let i = shape.length - 1; i >= 0 && ++index[i] === shape[i]; i--) index[i] = 0;
  }
  return integers(flat, [flat.length]);
}

/**
 * Picks single elements along an axis: y[…, i, …] = x[…, indices[…, i, …], …].
 *
 * @param indices integers with the rank of x; negative ones count from the end; lengths of other
 *   axes are at most those of x
 * @returns the shape of `indices`
 * @throws DTypeError for other indices; ShapeError for other shapes, or an index outside the axis
 * @see numpy.take_along_axis, torch.gather
 */
export function takeAlongAxis(x: TensorLike, indices: TensorLike, axis = -1): Tensor {
  const input = asLines(asAnyTensor('takeAlongAxis', 'x', x));
  const along = normalizeAxis('takeAlongAxis', axis, input.shape);
  const given = asAnyTensor('takeAlongAxis', 'indices', indices, 'int32');
  const positions = flatPositions('takeAlongAxis', input, asLines(given), along);
  return reshape(gatherOp([reshape(input, [-1]), positions], { axis: 0 }), given.shape);
}
