import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { movement, placement } from '../backend/kernels.ts';
import { expectShape, expectThat, readOptions } from '../core/checks.ts';
import { toElement } from '../core/elements.ts';
import { shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';
import { gatherOp, integers } from './gather.ts';
import { asAnyTensor, type TensorLike } from './operands.ts';
import { slice } from './slice.ts';

interface Margins {
  readonly before: readonly number[];
  readonly shape: Shape;
  readonly value: number;
}

export const padOp = defineOp<[NdArray], Margins, { before: readonly number[]; inputShape: Shape }>(
  'pad',
  {
    forward: ([x], { before, shape, value }) => ({
      y: placement().pad(x, before, shape, value),
      saved: { before, inputShape: x.shape },
    }),
    backward: (gradOut, { before, inputShape }) => [
      movement().slice(gradOut, { starts: before, steps: before.map(() => 1) }, inputShape),
    ],
  },
);

/** Where the elements around a tensor come from. */
export type PadMode = 'constant' | 'edge' | 'reflect' | 'wrap';

/** The place in an axis that a place in or beside it stands for. */
const SOURCE: Readonly<
  Record<Exclude<PadMode, 'constant'>, (i: number, length: number) => number>
> = {
  edge: (i, length) => Math.min(Math.max(i, 0), length - 1),
  // There and back, without the ends twice.
  reflect(i, length) {
    const period = 2 * (length - 1);
    const place = period === 0 ? 0 : ((i % period) + period) % period;
    return place < length ? place : period - place;
  },
  wrap: (i, length) => ((i % length) + length) % length,
};

function isMargins(pair: unknown): boolean {
  const isPair = Array.isArray(pair) && pair.length === 2;
  return isPair && Array.from(pair).every(Number.isInteger);
}

type AllMargins = readonly (readonly [before: number, after: number])[];

function readMargins(input: Tensor, margins: AllMargins, mode: PadMode): void {
  expectThat(Array.isArray(margins), 'pad', 'margins', 'a list of [before, after]', margins);
  if (margins.length !== input.rank) {
    throw shapeError(
      'pad',
      `needs a pair [before, after] for each of ${input.rank} axes, got ${margins.length}`,
      { input },
    );
  }
  for (const [axis, pair] of margins.entries()) {
    expectThat(isMargins(pair), 'pad', 'margins', 'pairs of integers', pair);
    const [before, after] = pair;
    const length = input.shape[axis];
    if (
      before + length + after < 0 ||
      (length === 0 && mode !== 'constant' && before + after > 0)
    ) {
      const rule = `margins [${before}, ${after}] do not fit axis ${axis} of length ${length}`;
      throw shapeError('pad', rule, { input });
    }
  }
}

/**
 * Surrounds a tensor with a constant, or with elements of its own; negative margins cut off.
 *
 * @param margins elements `[before, after]` for every axis
 * @param options `mode`: `'constant'` (default) with `value` (0 by default); `'edge'`: the nearest
 *   element; `'reflect'`: mirrored at the first and last, which are not repeated; `'wrap'`: from the
 *   other end
 * @throws ShapeError unless there is one pair for every axis, and something is left or there to take
 * @throws ValueError if a margin is not an integer, the dtype does not hold `value`, or for another mode
 * @see numpy.pad
 */
export function pad(
  x: TensorLike,
  margins: AllMargins,
  options: { mode?: PadMode; value?: number | boolean } = {},
): Tensor {
  const { mode = 'constant', value } = readOptions('pad', options, ['mode', 'value']);
  const input = asAnyTensor('pad', 'x', x);
  const isKnown = ['constant', ...Object.keys(SOURCE)].includes(mode);
  expectThat(isKnown, 'pad', 'mode', "'constant', 'edge', 'reflect' or 'wrap'", mode);
  const takesValue = mode === 'constant' || value === undefined;
  expectThat(takesValue, 'pad', 'value', `left out with mode '${mode}'`, value);
  readMargins(input, margins, mode);
  const shape = input.shape.map((length, axis) => margins[axis][0] + length + margins[axis][1]);
  expectShape('pad', shape);
  if (mode !== 'constant') return surrounded(input, margins, shape, SOURCE[mode]);
  const element = toElement('pad', 'value', value ?? 0, input.dtype);
  const cut = cutOff(input, margins);
  const before = margins.map(([first]) => Math.max(0, first));
  return padOp([cut], { before, shape, value: element });
}

/** Without what negative margins cut off. */
function cutOff(x: Tensor, margins: AllMargins): Tensor {
  if (margins.every(([before, after]) => before >= 0 && after >= 0)) return x;
  const kept = x.shape.map((length, axis): readonly [number, number] => {
    const [before, after] = margins[axis];
    const start = Math.min(length, Math.max(0, -before));
    return [start, Math.max(start, length + Math.min(0, after))];
  });
  return slice(x, kept);
}

function surrounded(
  x: Tensor,
  margins: AllMargins,
  shape: Shape,
  source: (i: number, length: number) => number,
): Tensor {
  let y = x;
  for (const [axis, [before, after]] of margins.entries()) {
    if (before === 0 && after === 0) continue;
    const length = x.shape[axis];
    const from = Int32Array.from({ length: shape[axis] }, (_, i) => source(i - before, length));
    y = gatherOp([y, integers(from, [from.length])], { axis });
  }
  return y;
}
