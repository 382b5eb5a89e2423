import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { movement } from '../backend/kernels.ts';
import { expectThat, normalizeAxis } from '../core/checks.ts';
import { promote } from '../core/dtype.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { formatShape, type Shape, sameShape } from '../core/shape.ts';
import { cast } from './cast.ts';
import { asAnyTensor, asTensorList, type TensorLike } from './operands.ts';
import { reshape } from './reshape.ts';

const concatOp = defineOp<
  readonly NdArray[],
  { axis: number },
  { axis: number; shapes: readonly Shape[] }
>('concat', {
  forward: (inputs, { axis }) => ({
    y: movement().concat(inputs, axis),
    saved: { axis, shapes: inputs.map((input) => input.shape) },
  }),
  backward: (gradOut, { axis, shapes }, needed) => {
    let end = 0;
    return shapes.map((shape, i) => {
      const start = end;
      end += shape[axis];
      if (!needed[i]) return null;
      const starts = shape.map((_, a) => (a === axis ? start : 0));
      return movement().slice(gradOut, { starts, steps: shape.map(() => 1) }, shape);
    });
  },
});

/**
 * Joins tensors along an axis they already have.
 *
 * @param tensors at least one; equal shapes except for `axis`
 * @throws ShapeError if another length differs; DTypeError for what is no tensor
 */
export function concat(tensors: readonly TensorLike[], axis = 0): Tensor {
  const inputs = asTensorList('concat', tensors, asAnyTensor);
  if (inputs.length === 0) throw new ValueError('concat: needs at least one tensor, got none');
  const [first] = inputs;
  const along = normalizeAxis('concat', axis, first.shape);
  const others = (shape: Shape): Shape => shape.map((length, i) => (i === along ? -1 : length));
  inputs.forEach((tensor, i) => {
    if (!sameShape(others(tensor.shape), others(first.shape))) {
      throw shapeError('concat', `shapes must agree on every axis but axis ${along}`, {
        'tensor 0': first,
        [`tensor ${i}`]: tensor,
      });
    }
  });
  const dtype = inputs.map((tensor) => tensor.dtype).reduce(promote);
  return concatOp(
    inputs.map((tensor) => cast(tensor, dtype)),
    { axis: along },
  );
}

/**
 * Joins tensors of one shape along a new axis.
 *
 * @param axis position of the new axis in the result, −1 being the last
 * @throws ShapeError if the shapes differ; DTypeError for what is no tensor
 */
export function stack(tensors: readonly TensorLike[], axis = 0): Tensor {
  const inputs = asTensorList('stack', tensors, asAnyTensor);
  if (inputs.length === 0) throw new ValueError('stack: needs at least one tensor, got none');
  const [{ shape }] = inputs;
  inputs.forEach((tensor, i) => {
    if (!sameShape(tensor.shape, shape)) {
      throw shapeError('stack', 'all shapes must be equal', {
        'tensor 0': inputs[0],
        [`tensor ${i}`]: tensor,
      });
    }
  });
  const rank = shape.length + 1;
  expectThat(
    Number.isInteger(axis) && axis >= -rank && axis < rank,
    'stack',
    'axis',
    `an integer in [${-rank}, ${rank}) for tensors of shape ${formatShape(shape)}`,
    axis,
  );
  const at = axis < 0 ? axis + rank : axis;
  const longer = [...shape.slice(0, at), 1, ...shape.slice(at)];
  return concat(
    inputs.map((tensor) => reshape(tensor, longer)),
    at,
  );
}
