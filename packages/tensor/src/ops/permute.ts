import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { formatShape } from '../core/shape.ts';
import { normalizeAxis } from './operands.ts';

type Axes = readonly number[];

const permuteOp = defineOp<[NdArray], { axes: Axes }, { inverse: Axes }>('permute', {
  forward: ([x], { axes }) => ({
    y: kernels().permute(x, axes),
    saved: { inverse: axes.map((_, axis) => axes.indexOf(axis)) },
  }),
  backward: (gradOut, { inverse }) => [kernels().permute(gradOut, inverse)],
});

/**
 * Reorders the axes: axis i of the result is axis `axes[i]` of `x`.
 *
 * @throws ShapeError unless `axes` names every axis once
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  const normalized = axes.map((axis) => normalizeAxis('permute', axis, x.shape));
  if (new Set(normalized).size !== x.rank || normalized.length !== x.rank) {
    throw shapeError('permute', `axes ${formatShape(axes)} must name each axis once`, { input: x });
  }
  return permuteOp([x], { axes: normalized });
}

/** Swaps two axes, the last two if none are given. */
export function transpose(x: Tensor, axis0 = -2, axis1 = -1): Tensor {
  const first = normalizeAxis('transpose', axis0, x.shape);
  const second = normalizeAxis('transpose', axis1, x.shape);
  const axes = x.shape.map((_, axis) => axis);
  axes[first] = second;
  axes[second] = first;
  return permuteOp([x], { axes });
}
