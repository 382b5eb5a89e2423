import type { NdArray } from '../../../../core/ndarray.ts';
import { reducedShape } from '../../../../core/shape.ts';
import type { Kernels, ReduceOp } from '../../../contract.ts';
import type { DeclinedCalls } from '../../../declined.ts';
import { inFrame } from '../../runtime/frame.ts';
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

export const declinedReductions: DeclinedCalls = {
  reduce: [{ calls: 'reductions over no axis', include: (_, __, axes) => axes.length === 0 }],
};

export const reductions: Pick<Kernels, 'reduce'> = {
  reduce: (op: ReduceOp, x, axes) =>
    inFrame((frame) => {
      const runs = runsOf(x, axes);
      const reduced = runs.filter((run) => run.isReduced);
      const y = frame.output(reducedShape(x.shape, axes, { keepDims: false }));
      const count = reduced.reduce((product, { length }) => product * length, 1);
      let source = frame.input(x);
      let areSums = false;
      let inner = 1;
      let outer = x.size;
      let left = reduced.length;
      // From the innermost run outwards; each pass makes the array smaller.
      for (const { length, isReduced } of runs.toReversed()) {
        outer /= length;
        if (!isReduced) {
          inner *= length;
          continue;
        }
        left--;
        const isLast = left === 0;
        const target = isLast ? y.address : frame.temporary(outer * inner * 8);
        const axis = { outer, length, inner };
        if (op === 'sum' || op === 'mean') {
          const divisor = isLast ? (op === 'mean' ? count : 1) : null;
          sumAxis(frame, { address: source, areSums }, axis, { address: target, divisor });
        } else {
          extremumOfAxis(frame, op, source, axis, target);
        }
        source = target;
        areSums = true;
      }
      return y.array;
    }),
};
