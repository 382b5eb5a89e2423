import type { NdArray } from '../../../../core/ndarray.ts';
import { reducedShape } from '../../../../core/shape.ts';
import type { Kernels } from '../../../contract.ts';
import type { DeclinedCalls } from '../../../declined.ts';
import type { Address } from '../../runtime/address.ts';
import { type Frame, inFrame } from '../../runtime/frame.ts';
import type { MiddleAxis } from './axis-pieces.ts';
import { extremumOfAxis } from './extremum-axis.ts';
import { sumAxis } from './sum-axis.ts';

/** Runs of neighbouring axes that are all reduced or all kept, outermost first. */
function runsOf(x: NdArray, axes: readonly number[]): { length: number; isReduced: boolean }[] {
  const runs: { length: number; isReduced: boolean }[] = [];
  x.shape.forEach((length, axis) => {
    const isReduced = axes.includes(axis);
    const last = runs.at(-1);
    if (last !== undefined && last.isReduced === isReduced) last.length *= length;
    else runs.push({ length, isReduced });
  });
  return runs;
}

/** Writes what is left of source[outer, length, inner] without its middle axis. */
type Pass = (
  frame: Frame,
  source: Address,
  axis: MiddleAxis,
  target: Address,
  place: { readonly isFirst: boolean; readonly isLast: boolean },
) => void;

/** Reduces the runs of axes from the innermost outwards, since each pass makes the array smaller. */
function inPasses(x: NdArray, axes: readonly number[], bytes: number, pass: Pass): NdArray {
  return inFrame((frame) => {
    const runs = runsOf(x, axes);
    const y = frame.output(reducedShape(x.shape, axes, { keepDims: false }));
    let source = frame.input(x);
    let left = runs.filter((run) => run.isReduced).length;
    let isFirst = true;
    let inner = 1;
    let outer = x.size;
    for (const { length, isReduced } of runs.toReversed()) {
      outer /= length;
      if (!isReduced) {
        inner *= length;
        continue;
      }
      left--;
      const isLast = left === 0;
      const target = isLast ? y.address : frame.temporary(outer * inner * bytes);
      pass(frame, source, { outer, length, inner }, target, { isFirst, isLast });
      source = target;
      isFirst = false;
    }
    return y.array;
  });
}

const OVER_NO_AXIS = {
  calls: 'reductions over no axis',
  include: (_: unknown, __: unknown, axes: readonly number[]) => axes.length === 0,
};

export const declinedReductions: DeclinedCalls = {
  reduce: [OVER_NO_AXIS],
  extremum: [OVER_NO_AXIS],
};

export const reductions: Pick<Kernels, 'reduce'> = {
  reduce(op, x, axes) {
    const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
    const whole = op === 'mean' ? count : 1;
    return inPasses(x, axes, 8, (frame, address, axis, target, { isFirst, isLast }) => {
      const divisor = isLast ? whole : null; // Sums that go on to another pass are float64.
      sumAxis(frame, { address, areSums: !isFirst }, axis, { address: target, divisor });
    });
  },
};

export const extrema: Pick<Kernels, 'extremum'> = {
  extremum: (op, x, axes) =>
    inPasses(x, axes, 4, (frame, source, axis, target) => {
      extremumOfAxis(frame, op, source, axis, target);
    }),
};
