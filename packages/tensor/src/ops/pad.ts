import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { expectShape, expectThat, readOptions } from '../core/checks.ts';
import { toElement } from '../core/elements.ts';
import { shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';
import { asTensor, type TensorLike } from './operands.ts';

interface Margins {
  readonly before: readonly number[];
  readonly shape: Shape;
  readonly value: number;
}

export const padOp = defineOp<[NdArray], Margins, { before: readonly number[]; inputShape: Shape }>(
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

function isMargins(pair: unknown): boolean {
  const isPair = Array.isArray(pair) && pair.length === 2;
  return isPair && Array.from(pair).every((margin) => Number.isInteger(margin) && margin >= 0);
}

/**
 * Surrounds a tensor with a constant.
 *
 * @param margins elements `[before, after]` for every axis
 * @throws ShapeError unless there is one pair for every axis
 * @throws ValueError if a margin is not an integer ≥ 0, or the dtype does not hold `value`
 */
export function pad(
  x: TensorLike,
  margins: readonly (readonly [before: number, after: number])[],
  options: { value?: number | boolean } = {},
): Tensor {
  const { value = 0 } = readOptions('pad', options, ['value']);
  const input = asTensor('pad', 'x', x);
  expectThat(Array.isArray(margins), 'pad', 'margins', 'a list of [before, after]', margins);
  if (margins.length !== input.rank) {
    throw shapeError(
      'pad',
      `needs a pair [before, after] for each of ${input.rank} axes, got ${margins.length}`,
      { input },
    );
  }
  for (const pair of margins) {
    expectThat(isMargins(pair), 'pad', 'margins', 'integers ≥ 0', pair);
  }
  const shape = input.shape.map((length, axis) => margins[axis][0] + length + margins[axis][1]);
  expectShape('pad', shape);
  const before = margins.map(([first]) => first);
  return padOp([input], { before, shape, value: toElement('pad', 'value', value, input.dtype) });
}
