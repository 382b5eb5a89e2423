import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { SliceRange } from '../backend/contract.ts';
import { kernels } from '../backend/registry.ts';
import { expectThat } from '../core/checks.ts';
import { describeValue } from '../core/describe.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';
import { asTensor, type TensorLike } from './operands.ts';

/** Part of an axis: `[start, end]` or `[start, end, step]`, negative counted from the end; null is all. */
export type AxisRange = readonly [start: number, end: number, step?: number] | null;

interface Slicing {
  readonly range: SliceRange;
  readonly shape: Shape;
}

export const sliceOp = defineOp<[NdArray], Slicing, { range: SliceRange; inputShape: Shape }>(
  'slice',
  {
    forward: ([x], { range, shape }) => ({
      y: kernels().slice(x, range, shape),
      saved: { range, inputShape: x.shape },
    }),
    backward: (gradOut, { range, inputShape }) => [kernels().sliceGrad(gradOut, range, inputShape)],
  },
);

/**
 * A part of a tensor, as NumPy's `x[start:end:step, ...]`: `end` is not included, negative positions
 * count from the end, and positions outside are brought to the nearest end.
 *
 * @param ranges one per axis from the first on; axes not named are taken whole
 * @throws ShapeError if there are more ranges than axes
 * @throws ValueError if a position is not an integer or a step is not an integer ≥ 1
 */
export function slice(x: TensorLike, ranges: readonly AxisRange[]): Tensor {
  const input = asTensor('slice', 'x', x);
  expectThat(Array.isArray(ranges), 'slice', 'ranges', 'a list of [start, end, step]', ranges);
  if (ranges.length > input.rank) {
    throw shapeError('slice', `${ranges.length} ranges for ${input.rank} axes`, { input });
  }
  const resolved = input.shape.map((length, axis) => {
    const range = ranges[axis] ?? [0, length];
    const [start, end, step = 1]: readonly number[] = Array.isArray(range) ? range : [];
    if (![start, end, step].every(Number.isInteger) || step < 1) {
      throw new ValueError(
        `slice: the range of axis ${axis} must be integers [start, end, step ≥ 1], ` +
          `got ${describeValue(range)}`,
      );
    }
    const inside = (position: number): number =>
      Math.min(Math.max(position < 0 ? position + length : position, 0), length);
    const count = Math.ceil((inside(end) - inside(start)) / step);
    return { start: inside(start), step, length: Math.max(0, count) };
  });
  const range = { starts: resolved.map((r) => r.start), steps: resolved.map((r) => r.step) };
  return sliceOp([input], { range, shape: resolved.map((r) => r.length) });
}
