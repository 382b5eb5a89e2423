import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';

interface Margins {
  readonly before: readonly number[];
  readonly shape: Shape;
  readonly value: number;
}

const padOp = defineOp<[NdArray], Margins, { before: readonly number[]; inputShape: Shape }>(
  'pad',
  {
    forward: ([x], { before, shape, value }) => ({
      y: kernels().pad(x, before, shape, value),
      saved: { before, inputShape: x.shape },
    }),
    backward: (gradOut, { before, inputShape }) => [
      kernels().slice(gradOut, { starts: before, steps: before.map(() => 1) }, inputShape),
    ],
  },
);

/**
 * Surrounds a tensor with a constant.
 *
 * @param margins elements `[before, after]` for every axis
 * @throws ShapeError unless there is one pair for every axis
 * @throws ValueError if a margin is not an integer ≥ 0
 */
export function pad(
  x: Tensor,
  margins: readonly (readonly [before: number, after: number])[],
  { value = 0 }: { value?: number } = {},
): Tensor {
  if (margins.length !== x.rank) {
    throw shapeError(
      'pad',
      `needs a pair [before, after] for each of ${x.rank} axes, got ${margins.length}`,
      {
        input: x,
      },
    );
  }
  for (const [before, after] of margins) {
    if (![before, after].every((margin) => Number.isInteger(margin) && margin >= 0)) {
      throw new ValueError(`pad: margins must be integers ≥ 0, got [${before}, ${after}]`);
    }
  }
  const shape = x.shape.map((length, axis) => margins[axis][0] + length + margins[axis][1]);
  return padOp([x], { before: margins.map(([before]) => before), shape, value });
}
