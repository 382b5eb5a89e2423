import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { SliceRange } from '../backend/contract.ts';
import { movement, placement } from '../backend/kernels.ts';
import { expectThat } from '../core/checks.ts';
import { describeValue } from '../core/describe.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';
import { flip } from './flip.ts';
import { asAnyTensor, type TensorLike } from './operands.ts';

/**
 * Part of an axis: `[start, end]` or `[start, end, step]`, negative positions counted from the end; null is
 * all, also for start or end alone.
 */
export type AxisRange = readonly [start: number | null, end: number | null, step?: number] | null;

interface Slicing {
  readonly range: SliceRange;
  readonly shape: Shape;
}

export const sliceOp = defineOp<[NdArray], Slicing, { range: SliceRange; inputShape: Shape }>(
  'slice',
  {
    forward: ([x], { range, shape }) => ({
      y: movement().slice(x, range, shape),
      saved: { range, inputShape: x.shape },
    }),
    backward: (gradOut, { range, inputShape }) => [
      placement().sliceGrad(gradOut, range, inputShape),
    ],
  },
);

interface Part {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** The elements that a range takes of an axis; a negative step goes from the end to the front. */
function partOf(range: AxisRange | undefined, length: number, axis: number): Part {
  const given = range ?? [null, null];
  const isRange = Array.isArray(given) && given.length <= 3;
  const [start, end, step = 1]: readonly (number | null)[] = isRange ? given : [Number.NaN, null];
  const areIntegers = [start, end].every(
    (position) => position === null || Number.isInteger(position),
  );
  if (!areIntegers || !Number.isInteger(step) || step === 0) {
    throw new ValueError(
      `slice: the range of axis ${axis} must be integers [start, end, step ≠ 0], start and end or null, ` +
        `got ${describeValue(range)}`,
    );
  }
  const by = step as number; // An integer, as was checked.
  const [least, most] = by > 0 ? [0, length] : [-1, length - 1];
  const inside = (position: number | null, otherwise: number): number => {
    if (position === null) return otherwise;
    return Math.min(Math.max(position < 0 ? position + length : position, least), most);
  };
  const from = inside(start, by > 0 ? least : most);
  const to = inside(end, by > 0 ? most : least);
  return { start: from, step: by, length: Math.max(0, Math.ceil((to - from) / by)) };
}

/**
 * A part of a tensor, as NumPy's `x[start:end:step, ...]`: `end` is not included, negative positions
 * count from the end, positions outside are brought to the nearest end, and a negative step takes
 * elements from `start` back to before `end` (null: up to the first one).
 *
 * @param ranges one per axis from the first on; axes not named are taken whole
 * @throws ShapeError if there are more ranges than axes
 * @throws ValueError if a position or step is not an integer, or a step is 0
 */
export function slice(x: TensorLike, ranges: readonly AxisRange[]): Tensor {
  const input = asAnyTensor('slice', 'x', x);
  expectThat(Array.isArray(ranges), 'slice', 'ranges', 'a list of [start, end, step]', ranges);
  if (ranges.length > input.rank) {
    throw shapeError('slice', `${ranges.length} ranges for ${input.rank} axes`, { input });
  }
  const parts = input.shape.map((length, axis) => partOf(ranges[axis], length, axis));
  // Kernels walk forwards: what a negative step takes is taken from its other end, and turned round.
  const forward = parts.map(({ start, step, length }) =>
    step > 0 || length === 0
      ? { start: step > 0 ? start : 0, step: Math.abs(step) }
      : { start: start + (length - 1) * step, step: -step },
  );
  const range = { starts: forward.map((r) => r.start), steps: forward.map((r) => r.step) };
  const taken = sliceOp([input], { range, shape: parts.map((r) => r.length) });
  const backward = parts.flatMap(({ step }, axis) => (step < 0 ? [axis] : []));
  return backward.length === 0 ? taken : flip(taken, backward);
}
