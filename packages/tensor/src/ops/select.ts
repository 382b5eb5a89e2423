import type { Tensor } from '../autograd/tensor.ts';
import { expectInteger, normalizeAxis, readOptions } from '../core/checks.ts';
import { DTypeError, shapeError } from '../core/errors.ts';
import { gatherOp, integers } from './gather.ts';
import { asAnyTensor, asTensor, type TensorLike } from './operands.ts';
import { permute } from './permute.ts';
import { reshape } from './reshape.ts';

/**
 * The entries of an axis at which a condition holds.
 *
 * @param condition bool, not longer than the axis; what it does not reach is left out
 * @param axis by default, of all elements, flat
 * @throws ShapeError unless the condition has one axis that is not longer; DTypeError unless it is bool
 * @see numpy.compress
 */
export function compress(x: TensorLike, condition: TensorLike, axis?: number): Tensor {
  const given = asAnyTensor('compress', 'x', x);
  const mask = asTensor('compress', 'condition', condition);
  if (mask.dtype !== 'bool') {
    throw new DTypeError(`compress: condition must be bool (from a comparison), got ${mask.dtype}`);
  }
  const input = axis === undefined ? reshape(given, [-1]) : given;
  const along = normalizeAxis('compress', axis ?? 0, input.shape);
  if (mask.rank !== 1 || mask.size > input.shape[along]) {
    const rule = `condition must have one axis of at most the length ${input.shape[along]}`;
    throw shapeError('compress', rule, { x: input, condition: mask });
  }
  const kept = [...mask.array.data].flatMap((isKept, i) => (isKept ? [i] : []));
  return gatherOp([input, integers(Int32Array.from(kept), [kept.length])], { axis: along });
}

/**
 * Positions of the elements that are not 0: int32 `[count, rank]`, in row-major order. (NumPy's `argwhere`
 * and PyTorch's `nonzero`; ONNX has the axes first.)
 */
export function nonZero(x: TensorLike): Tensor {
  const { array, shape, rank } = asTensor('nonZero', 'x', x);
  const found = [...array.data].flatMap((value, i) => (value === 0 ? [] : [i]));
  const positions = new Int32Array(found.length * rank);
  found.forEach((flat, row) => {
    let rest = flat;
    for (let axis = rank - 1; axis >= 0; axis--) {
      positions[row * rank + axis] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
  });
  return integers(positions, [found.length, rank]);
}

/**
 * A diagonal of two axes: y[…, i] = x[…, i, …, i + offset, …], as a new last axis.
 *
 * @param options `offset`: 0 by default; `axis1`, `axis2`: the first two by default, as NumPy and PyTorch
 * @throws ShapeError if both are one axis; ValueError if an axis does not exist
 * @see numpy.diagonal
 */
export function diagonal(
  x: TensorLike,
  options: { offset?: number; axis1?: number; axis2?: number } = {},
): Tensor {
  const known = ['offset', 'axis1', 'axis2'] as const;
  const { offset = 0, axis1 = 0, axis2 = 1 } = readOptions('diagonal', options, known);
  const input = asAnyTensor('diagonal', 'x', x);
  expectInteger('diagonal', 'offset', offset);
  const [first, second] = [axis1, axis2].map((axis) =>
    normalizeAxis('diagonal', axis, input.shape),
  );
  if (first === second) throw shapeError('diagonal', 'needs two different axes', { input });
  const others = input.shape.map((_, i) => i).filter((i) => i !== first && i !== second);
  const [rows, columns] = [input.shape[first], input.shape[second]];
  const matrices = reshape(permute(input, [...others, first, second]), [
    ...others.map((i) => input.shape[i]),
    rows * columns,
  ]);
  const start = Math.max(0, -offset);
  const length = Math.max(0, Math.min(rows, columns - offset) - start);
  const places = Int32Array.from({ length }, (_, i) => (start + i) * columns + start + i + offset);
  return gatherOp([matrices, integers(places, [length])], { axis: others.length });
}
