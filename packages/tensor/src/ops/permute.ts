import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { permutation } from '../backend/kernels.ts';
import { expectIntegerList, normalizeAxis } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { formatShape } from '../core/shape.ts';
import { asAnyTensor, type TensorLike } from './operands.ts';

type Axes = readonly number[];

const permuteOp = defineOp<[NdArray], { axes: Axes }, { inverse: Axes }>('permute', {
  forward: ([x], { axes }) => ({
    y: permutation().permute(x, axes),
    saved: { inverse: axes.map((_, axis) => axes.indexOf(axis)) },
  }),
  backward: (gradOut, { inverse }) => [permutation().permute(gradOut, inverse)],
});

/**
 * Reorders the axes: axis i of the result is axis `axes[i]` of `x`.
 *
 * @throws ShapeError unless `axes` names every axis once; ValueError for an axis that does not exist
 */
export function permute(x: TensorLike, axes: readonly number[]): Tensor {
  const input = asAnyTensor('permute', 'x', x);
  expectIntegerList('permute', 'axes', axes);
  const normalized = axes.map((axis) => normalizeAxis('permute', axis, input.shape));
  if (new Set(normalized).size !== input.rank || normalized.length !== input.rank) {
    throw shapeError('permute', `axes ${formatShape(axes)} must name each axis once`, { input });
  }
  return permuteOp([input], { axes: normalized });
}

/** Swaps two axes, the last two if none are given. */
export function transpose(x: TensorLike, axis0 = -2, axis1 = -1): Tensor {
  const input = asAnyTensor('transpose', 'x', x);
  const first = normalizeAxis('transpose', axis0, input.shape);
  const second = normalizeAxis('transpose', axis1, input.shape);
  const axes = input.shape.map((_, axis) => axis);
  axes[first] = second;
  axes[second] = first;
  return permuteOp([input], { axes });
}
