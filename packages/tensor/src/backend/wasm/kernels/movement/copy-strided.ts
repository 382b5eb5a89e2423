import { elementCount, type Shape, stridesOf } from '../../../../core/shape.ts';
import { type Address, addressAfter } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask, type FieldValues } from '../../runtime/task.ts';
import type { ElementBytes } from '../lanes/element-types.ts';
import { CHUNK } from '../loops/flat-arrays.ts';
import { partRange } from '../loops/part-range.ts';
import { copyLine, copyLineOfBytes } from '../loops/rows.ts';

/** Axes around the innermost one; an array with more is copied in several jobs. */
const OUTER_AXES = 4;

/** One axis: its length, and from one element to the next on either side. */
const AXIS = { length: 'i32', source: 'bytes', target: 'bytes' } as const;
type Axis = FieldValues<typeof AXIS>;

const FIELDS = {
  source: 'address',
  target: 'address',
  rows: 'i32',
  rowsOfPart: 'i32',
  /** From the outermost on; a row runs along the innermost. */
  axes: { 0: AXIS, 1: AXIS, 2: AXIS, 3: AXIS, 4: AXIS },
} as const;

const defineCopy = (name: string, copy: typeof copyLine) =>
  defineTask(name, FIELDS, (f, p, { index }) => {
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
      for (const { length, source, target } of [p.axes[3], p.axes[2], p.axes[1]]) {
        position.set(rest.modulo(length));
        rest.set(rest.dividedBy(length));
        from.set(from.plus(position.times(source)));
        to.set(to.plus(position.times(target)));
      }
      from.set(from.plus(rest.times(p.axes[0].source)));
      to.set(to.plus(rest.times(p.axes[0].target)));
      const { length: count, source: sourceStep, target: targetStep } = p.axes[4];
      f.call(copy, { target: to, targetStep, source: from, sourceStep, count });
    });
  });

const TASKS: Readonly<Record<ElementBytes, ReturnType<typeof defineCopy>>> = {
  1: defineCopy('copyStridedBytes', copyLineOfBytes),
  4: defineCopy('copyStrided', copyLine),
};

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
  readonly address: Address;
  readonly strides?: readonly number[];
}

/** Copies the elements of an array of `shape` between two ways to lie in memory. */
export function copyStrided(
  frame: Frame,
  shape: Shape,
  { source, target }: { source: Side; target: Side },
  bytes: ElementBytes = 4,
): void {
  if (elementCount(shape) === 0) return;
  const dense = stridesOf(shape);
  const axes = shape.map((length, axis) => ({
    length,
    source: (source.strides ?? dense)[axis] * bytes,
    target: (target.strides ?? dense)[axis] * bytes,
  }));
  copyAxes(frame, bytes, merged(axes), source.address, target.address);
}

function copyAxes(
  frame: Frame,
  bytes: ElementBytes,
  axes: readonly Axis[],
  source: Address,
  target: Address,
): void {
  if (axes.length > OUTER_AXES + 1) {
    const [{ length, source: sourceStep, target: targetStep }, ...inner] = axes;
    for (let i = 0; i < length; i++) {
      copyAxes(
        frame,
        bytes,
        inner,
        addressAfter(source, i * sourceStep),
        addressAfter(target, i * targetStep),
      );
    }
    return;
  }
  const inner = axes.at(-1) ?? { length: 1, source: bytes, target: bytes };
  const missing = OUTER_AXES + 1 - Math.max(1, axes.length);
  const none = Array.from({ length: missing }, () => ({ length: 1, source: 0, target: 0 }));
  const [a0, a1, a2, a3] = [...none, ...axes.slice(0, -1)];
  const rows = a0.length * a1.length * a2.length * a3.length;
  const rowsOfPart = Math.max(1, Math.floor(CHUNK / inner.length));
  frame.run(TASKS[bytes], Math.ceil(rows / rowsOfPart), {
    source,
    target,
    rows,
    rowsOfPart,
    axes: [a0, a1, a2, a3, inner],
  });
}
