import type { DType } from '../../../../core/dtype.ts';
import type { NdArray } from '../../../../core/ndarray.ts';
import {
  broadcastStrides,
  elementCount,
  type Shape,
  splitAtAxis,
  stridesOf,
} from '../../../../core/shape.ts';
import type { DeclinedCalls } from '../../../declined.ts';
import type { Kernels, SliceRange } from '../../../kernels.ts';
import { type Frame, inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { CHUNK, fill } from '../loops/flat-arrays.ts';
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
    const first = f.i32(index.times(p.rowsOfPart));
    const end = f.i32(first.plus(p.rowsOfPart));
    end.set(end.min(p.rows));
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

/** Where a slice begins in an array of `wholeShape`, in bytes, and its strides. */
function sliceView(
  wholeShape: Shape,
  { starts, steps }: SliceRange,
): { start: number; strides: number[] } {
  const strides = stridesOf(wholeShape);
  const start = strides.reduce((sum, stride, axis) => sum + stride * starts[axis], 0);
  return { start: start * 4, strides: strides.map((stride, axis) => stride * steps[axis]) };
}

/** An array of `shape` read from `x` with other strides. */
function gathered(x: NdArray, shape: Shape, strides: readonly number[], start = 0): NdArray {
  return inFrame((frame) => {
    const y = frame.output(shape, x.dtype);
    const source = { address: frame.input(x) + start, strides };
    copyStrided(frame, shape, { source, target: { address: y.address } });
    return y.array;
  });
}

/** An array of `shape`, filled with `value`, into which `x` is written with other strides. */
function placed(
  x: NdArray,
  shape: Shape,
  { start, strides }: { start: number; strides: readonly number[] },
  value: number,
  dtype: DType,
): NdArray {
  return inFrame((frame) => {
    const y = frame.output(shape, dtype);
    fill(frame, y.address, y.array.size, value);
    const target = { address: y.address + start, strides };
    copyStrided(frame, x.shape, { source: { address: frame.input(x) }, target });
    return y.array;
  });
}

export const declinedMovement: DeclinedCalls = {
  cast: [{ calls: 'casts to other dtypes', include: (_, dtype) => dtype !== 'float32' }],
};

export const movement: Pick<
  Kernels,
  'cast' | 'broadcastTo' | 'permute' | 'slice' | 'sliceGrad' | 'pad' | 'concat'
> = {
  // A copy: only float32 comes here, and goes from here.
  cast: (x) => gathered(x, x.shape, stridesOf(x.shape)),

  broadcastTo: (x, shape) => gathered(x, shape, broadcastStrides(x.shape, shape)),

  permute(x, axes) {
    const strides = stridesOf(x.shape);
    const shape = axes.map((axis) => x.shape[axis]);
    return gathered(
      x,
      shape,
      axes.map((axis) => strides[axis]),
    );
  },

  slice(x, range, shape) {
    const { start, strides } = sliceView(x.shape, range);
    return gathered(x, shape, strides, start);
  },

  sliceGrad: (gradOut, range, inputShape) =>
    placed(gradOut, inputShape, sliceView(inputShape, range), 0, gradOut.dtype),

  pad(x, before, shape, value) {
    const steps = before.map(() => 1);
    return placed(x, shape, sliceView(shape, { starts: before, steps }), value, x.dtype);
  },

  concat: (inputs, axis) =>
    inFrame((frame) => {
      const [{ shape: first, dtype }] = inputs;
      const total = inputs.reduce((sum, input) => sum + input.shape[axis], 0);
      const shape = first.map((length, i) => (i === axis ? total : length));
      const y = frame.output(shape, dtype);
      const [, , after] = splitAtAxis(shape, axis);
      const strides = stridesOf(shape);
      let start = 0;
      for (const input of inputs) {
        const target = { address: y.address + start, strides };
        copyStrided(frame, input.shape, { source: { address: frame.input(input) }, target });
        start += input.shape[axis] * after * 4;
      }
      return y.array;
    }),
};
