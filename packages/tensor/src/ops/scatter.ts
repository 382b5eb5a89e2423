import type { Tensor } from '../autograd/tensor.ts';
import { expectThat, normalizeAxis, readOptions } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import { elementCount, formatShape, sameShape, stridesOf } from '../core/shape.ts';
import {
  asAnyTensor,
  asIntegers,
  asTensor,
  dtypeOf,
  expectSameDType,
  type TensorLike,
} from './operands.ts';
import { reshape } from './reshape.ts';
import { pick, type ScatterReduction, scatterRows } from './scatter-rows.ts';
import { flatPositions } from './take-along-axis.ts';

const REDUCTIONS: readonly string[] = ['none', 'add', 'multiply', 'max', 'min'];

function readReduction(op: string, options: { reduction?: ScatterReduction }): ScatterReduction {
  const { reduction = 'none' } = readOptions(op, options, ['reduction']);
  const rule = "'none', 'add', 'multiply', 'max' or 'min'";
  expectThat(REDUCTIONS.includes(reduction), op, 'reduction', rule, reduction);
  return reduction;
}

/**
 * Writes single elements along an axis: y = x, but y[…, indices[…, i, …], …] = source[…, i, …], or what is
 * there combined with it.
 *
 * @param indices integers with the rank of x; negative ones count from the end
 * @param source of the shape of `indices` and the dtype of x
 * @param options `reduction`: `'none'` (default; of several for one place the last stays), `'add'`,
 *   `'multiply'`, `'max'` or `'min'`
 * @throws ShapeError for other shapes, or an index outside the axis; DTypeError for other dtypes;
 *   ValueError for another reduction
 * @see ONNX ScatterElements, torch.Tensor.scatter
 */
export function scatter(
  x: TensorLike,
  indices: TensorLike,
  source: TensorLike,
  axis = -1,
  options: { reduction?: ScatterReduction } = {},
): Tensor {
  return scatterAlong('scatter', x, indices, source, axis, readReduction('scatter', options));
}

/**
 * Adds single elements along an axis: y = x, and y[…, indices[…, i, …], …] += source[…, i, …].
 *
 * @throws as `scatter`
 * @see torch.scatter_add
 */
export function scatterAdd(
  x: TensorLike,
  indices: TensorLike,
  source: TensorLike,
  axis = -1,
): Tensor {
  return scatterAlong('scatterAdd', x, indices, source, axis, 'add');
}

function scatterAlong(
  op: string,
  x: TensorLike,
  indices: TensorLike,
  source: TensorLike,
  axis: number,
  reduction: ScatterReduction,
): Tensor {
  const input = asTensor(op, 'x', x, dtypeOf(source));
  const values = asTensor(op, 'source', source, input.dtype);
  const positions = asIntegers(op, 'indices', indices);
  expectSameDType(op, { x: input, source: values });
  const along = normalizeAxis(op, axis, input.shape);
  if (!sameShape(values.shape, positions.shape)) {
    throw shapeError(op, 'indices and source must have one shape', {
      indices: positions,
      source: values,
    });
  }
  const at = flatPositions(op, input, positions, along).array.data as Int32Array;
  const rows = scatterRows(reshape(input, [-1]), at, reshape(values, [-1]), reduction);
  return reshape(rows, input.shape);
}

/** Where the slices that index vectors name begin: among slices of the last axes, numbered. */
function slicePositions(
  op: string,
  x: Tensor,
  positions: Tensor,
  batchAxes: number,
): { at: Int32Array; depth: number } {
  const depth = positions.rank === 0 ? 0 : positions.shape[positions.rank - 1];
  if (positions.rank === 0 || batchAxes + depth > x.rank) {
    const rule = `indices must be vectors of at most ${x.rank - batchAxes} positions, on a last axis`;
    throw shapeError(op, rule, { input: x, indices: positions });
  }
  const lengths = x.shape.slice(0, batchAxes + depth);
  const strides = stridesOf(lengths);
  const { data } = positions.array;
  const count = elementCount(positions.shape.slice(0, -1));
  const perBatch = count / elementCount(positions.shape.slice(0, batchAxes));
  const batchStride = elementCount(lengths.slice(batchAxes));
  const at = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    at[i] = Math.floor(i / perBatch) * batchStride;
    for (let k = 0; k < depth; k++) {
      const [index, length] = [data[i * depth + k], lengths[batchAxes + k]];
      if (index < -length || index >= length) {
        const rule = `index ${index} is outside axis ${batchAxes + k} of length ${length}`;
        throw shapeError(op, rule, { input: x, indices: positions });
      }
      at[i] += (index < 0 ? index + length : index) * strides[batchAxes + k];
    }
  }
  return { at, depth };
}

/**
 * Picks slices by vectors of positions: y[i] = x[indices[i, 0], indices[i, 1], …].
 *
 * @param indices integers `[..., K]`; negative ones count from the end
 * @param options `batchAxes`: leading axes that x and indices have in common; 0 by default
 * @returns the axes of `indices` but the last, then those of x behind the K axes that they name
 * @throws ShapeError if the vectors are too long, leading axes differ, or an index lies outside its axis
 * @see ONNX GatherND, tf.gather_nd
 */
export function gatherNd(
  x: TensorLike,
  indices: TensorLike,
  options: { batchAxes?: number } = {},
): Tensor {
  const { batchAxes = 0 } = readOptions('gatherNd', options, ['batchAxes']);
  const input = asAnyTensor('gatherNd', 'x', x);
  const positions = asIntegers('gatherNd', 'indices', indices);
  const most = Math.min(input.rank, positions.rank - 1);
  const isRight = Number.isInteger(batchAxes) && batchAxes >= 0 && batchAxes <= most;
  expectThat(isRight, 'gatherNd', 'batchAxes', `an integer in [0, ${most}]`, batchAxes);
  const batch = input.shape.slice(0, batchAxes);
  if (!sameShape(batch, positions.shape.slice(0, batchAxes))) {
    throw shapeError('gatherNd', `the first ${batchAxes} axes of input and indices must agree`, {
      input,
      indices: positions,
    });
  }
  const { at, depth } = slicePositions('gatherNd', input, positions, batchAxes);
  const rest = input.shape.slice(batchAxes + depth);
  const rows = reshape(input, [elementCount(input.shape.slice(0, batchAxes + depth)), ...rest]);
  return reshape(pick(rows, at), [...positions.shape.slice(0, -1), ...rest]);
}

/**
 * Writes slices at vectors of positions: y = x, but y[indices[i, 0], indices[i, 1], …] = updates[i], or
 * what is there combined with it.
 *
 * @param indices integers `[..., K]`; negative ones count from the end
 * @param updates the axes of `indices` but the last, then those of x behind the K axes that they name
 * @param options `reduction`: as of `scatter`
 * @throws ShapeError for other shapes, or an index outside its axis; DTypeError for other dtypes
 * @see ONNX ScatterND, tf.tensor_scatter_nd_update
 */
export function scatterNd(
  x: TensorLike,
  indices: TensorLike,
  updates: TensorLike,
  options: { reduction?: ScatterReduction } = {},
): Tensor {
  const reduction = readReduction('scatterNd', options);
  const input = asTensor('scatterNd', 'x', x, dtypeOf(updates));
  const values = asTensor('scatterNd', 'updates', updates, input.dtype);
  const positions = asIntegers('scatterNd', 'indices', indices);
  expectSameDType('scatterNd', { x: input, updates: values });
  const { at, depth } = slicePositions('scatterNd', input, positions, 0);
  const rest = input.shape.slice(depth);
  const expected = [...positions.shape.slice(0, -1), ...rest];
  if (!sameShape(values.shape, expected)) {
    throw shapeError('scatterNd', `updates must have shape ${formatShape(expected)}`, {
      input,
      indices: positions,
      updates: values,
    });
  }
  const rows = reshape(input, [elementCount(input.shape.slice(0, depth)), ...rest]);
  const result = scatterRows(rows, at, reshape(values, [at.length, ...rest]), reduction);
  return reshape(result, input.shape);
}
