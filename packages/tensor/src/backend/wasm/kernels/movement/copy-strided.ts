import { elementCount, type Shape, stridesOf } from '../../../../core/shape.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { CHUNK } from '../loops/flat-arrays.ts';
import { partRange } from '../loops/part-range.ts';
import { copyLine } from '../loops/rows.ts';

/** Axes around the innermost one; an array with more is copied in several jobs. */
const OUTER_AXES = 4;

const copyTask = defineTask(
  'copyStrided',
  {
    source: 'i32',
    target: 'i32',
    rows: 'i32',
    rowsOfPart: 'i32',
    columns: 'i32',
    sourceStep: 'i32',
    targetStep: 'i32',
    length1: 'i32',
    length2: 'i32',
    length3: 'i32',
    source0: 'i32',
    source1: 'i32',
    source2: 'i32',
    source3: 'i32',
    target0: 'i32',
    target1: 'i32',
    target2: 'i32',
    target3: 'i32',
  },
  (f, p, { index }) => {
    const { first, end } = partRange(f, index, p.rowsOfPart, p.rows);
    const rest = f.i32();
    const position = f.i32();
    const from = f.i32();
    const to = f.i32();
    f.for(first, end, 1, (row) => {
      // The row's number as one position on each axis, innermost first.
      rest.set(row);
      from.set(p.source);
      to.set(p.target);
      const axes = [
        { length: p.length3, source: p.source3, target: p.target3 },
        { length: p.length2, source: p.source2, target: p.target2 },
        { length: p.length1, source: p.source1, target: p.target1 },
      ];
      for (const { length, source, target } of axes) {
        position.set(rest.modulo(length));
        rest.set(rest.dividedBy(length));
        from.set(from.plus(position.times(source)));
        to.set(to.plus(position.times(target)));
      }
      from.set(from.plus(rest.times(p.source0)));
      to.set(to.plus(rest.times(p.target0)));
      const { sourceStep, targetStep } = p;
      f.call(copyLine, { target: to, targetStep, source: from, sourceStep, count: p.columns });
    });
  },
);

interface Axis {
  readonly length: number;
  readonly source: number;
  readonly target: number;
}

/** Neighbouring axes over which both sides step evenly become one; axes of length 1 go. */
function merged(axes: readonly Axis[]): Axis[] {
  const result: Axis[] = [];
  for (const axis of axes) {
    if (axis.length === 1) continue;
    const outer = result.at(-1);
    const joins =
      outer !== undefined &&
      outer.source === axis.length * axis.source &&
      outer.target === axis.length * axis.target;
    if (joins) result[result.length - 1] = { ...axis, length: outer.length * axis.length };
    else result.push(axis);
  }
  return result;
}

/** One side of a copy: strides in elements, dense by default. */
interface Side {
  readonly address: number;
  readonly strides?: readonly number[];
}

/** Copies 32-bit elements of an array of `shape` between two ways to lie in memory. */
export function copyStrided(
  frame: Frame,
  shape: Shape,
  { source, target }: { source: Side; target: Side },
): void {
  if (elementCount(shape) === 0) return;
  const dense = stridesOf(shape);
  const axes = shape.map((length, axis) => ({
    length,
    source: (source.strides ?? dense)[axis] * 4,
    target: (target.strides ?? dense)[axis] * 4,
  }));
  copyAxes(frame, merged(axes), source.address, target.address);
}

function copyAxes(frame: Frame, axes: readonly Axis[], source: number, target: number): void {
  if (axes.length > OUTER_AXES + 1) {
    const [{ length, source: sourceStep, target: targetStep }, ...inner] = axes;
    for (let i = 0; i < length; i++) {
      copyAxes(frame, inner, source + i * sourceStep, target + i * targetStep);
    }
    return;
  }
  const inner = axes.at(-1) ?? { length: 1, source: 4, target: 4 };
  const missing = OUTER_AXES + 1 - Math.max(1, axes.length);
  const none = Array.from({ length: missing }, () => ({ length: 1, source: 0, target: 0 }));
  const [a0, a1, a2, a3] = [...none, ...axes.slice(0, -1)];
  const rows = a0.length * a1.length * a2.length * a3.length;
  const rowsOfPart = Math.max(1, Math.floor(CHUNK / inner.length));
  frame.run(copyTask, Math.ceil(rows / rowsOfPart), {
    source,
    target,
    rows,
    rowsOfPart,
    columns: inner.length,
    sourceStep: inner.source,
    targetStep: inner.target,
    length1: a1.length,
    length2: a2.length,
    length3: a3.length,
    source0: a0.source,
    source1: a1.source,
    source2: a2.source,
    source3: a3.source,
    target0: a0.target,
    target1: a1.target,
    target2: a2.target,
    target3: a3.target,
  });
}
