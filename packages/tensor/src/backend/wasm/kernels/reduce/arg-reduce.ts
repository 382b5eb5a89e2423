import { reducedShape, splitAtAxis } from '../../../../core/shape.ts';
import type { ArgReduceOp, Kernels } from '../../../contract.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local } from '../../assembler/parameters.ts';
import { type F32, type I32, loadF32 } from '../../assembler/scalars.ts';
import { type Floats, type Ints, splat, splatInt } from '../../assembler/vectors.ts';
import { NOWHERE } from '../../runtime/address.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { CHUNK } from '../loops/flat-arrays.ts';
import { endOf, partRange } from '../loops/part-range.ts';
import { extremumOfAxis } from './extremum-axis.ts';

/**
 * Positions of extremes. Those of short rows are found element by element, others once the extremes are known: where the first element is equal to the extreme of its line. A
 * line with NaN has NaN for it, and others have none, so that any NaN is a position.
 */

/** Rows of fewer elements are short. */
const SHORT = 32;
/** Columns that are searched one after another by one thread. */
const COLUMNS = 256;

const FIELDS = {
  x: 'address',
  /** The extreme of each line. */
  extremes: 'address',
  y: 'address',
  length: 'i32',
  inner: 'i32',
  items: 'i32',
  itemsOfPart: 'i32',
} as const;

/** A mask of lanes. */
const isFound = (lanes: Floats, extremes: Floats): Ints =>
  lanes.equals(extremes).or(lanes.notEquals(lanes));

/** Moves `at` by steps of `stride` bytes to the extreme of a line, which is there. */
function search(f: FunctionBuilder, at: Local<I32>, stride: I32 | number, extreme: F32): void {
  const value = f.f32(loadF32(at));
  const isOther = value.notEquals(extreme).and(value.notEquals(value).isZero());
  f.while(isOther, () => {
    at.set(at.plus(stride));
    value.set(loadF32(at));
  });
}

/** The same of short rows, without `extremes`. */
const defineShortRows = (op: ArgReduceOp) =>
  defineTask(`${op}OfShortRows`, FIELDS, (f, p, { index }) => {
    const { first, end } = partRange(f, index, p.itemsOfPart, p.items);
    const at = f.i32(p.x.plus(first.times(p.length).times(4)));
    const value = f.f32();
    const best = f.f32();
    const position = f.i32();
    const isWorse = op === 'argmax' ? value.atMost(best) : best.atMost(value);
    // Neither is a comparison with NaN, so that the first NaN is taken, and nothing after it.
    const isBetter = isWorse.isZero().and(best.notEquals(best).isZero());
    f.for(first, end, 1, (row) => {
      best.set(loadF32(at));
      position.set(0);
      at.set(at.plus(4));
      f.for(1, p.length, 1, (i) => {
        value.set(loadF32(at));
        f.if(isBetter, () => {
          best.set(value);
          position.set(i);
        });
        at.set(at.plus(4));
      });
      f.store(p.y.plus(row.times(4)), position);
    });
  });

/** y[row] of x[row, length]. */
const rowsTask = defineTask('argReduceRows', FIELDS, (f, p, { index }) => {
  const { first, end } = partRange(f, index, p.itemsOfPart, p.items);
  const at = f.i32();
  const left = f.i32();
  const extreme = f.f32();
  const extremes = f.f32x4();
  f.for(first, end, 1, (row) => {
    const start = f.i32(p.x.plus(row.times(p.length).times(4)));
    extreme.set(loadF32(p.extremes.plus(row.times(4))));
    extremes.set(splat(extreme));
    at.set(start);
    left.set(p.length);
    f.block((found) => {
      f.while(left.atLeast(f.lanes), () => {
        const lanes = f.floats(f.load(at));
        found.breakIf(isFound(lanes, extremes).anyTrue());
        at.set(at.plus(f.lanes * 4));
        left.set(left.minus(f.lanes));
      });
    });
    search(f, at, 4, extreme);
    f.store(p.y.plus(row.times(4)), at.minus(start).shiftRightUnsigned(2));
  });
});

/** y[outer, inner] of x[outer, length, inner]; an item is some columns of one block. */
const columnsTask = defineTask('argReduceColumns', FIELDS, (f, p, { index }) => {
  const { first, end } = partRange(f, index, p.itemsOfPart, p.items);
  const stride = f.i32(p.inner.times(4));
  const groups = f.i32(p.inner.plus(COLUMNS - 1).dividedBy(COLUMNS));
  const at = f.i32();
  const position = f.i32();
  const positions = f.ints();
  f.for(first, end, 1, (item) => {
    const block = f.i32(item.dividedBy(groups));
    const column = f.i32(item.modulo(groups).times(COLUMNS));
    const endColumn = endOf(f, column, COLUMNS, p.inner);
    const source = f.i32(p.x.plus(block.times(p.length).times(stride)));
    const extremes = f.i32(p.extremes.plus(block.times(stride)));
    const target = f.i32(p.y.plus(block.times(stride)));
    f.while(column.plus(f.lanes).atMost(endColumn), () => {
      const offset = f.i32(column.times(4));
      const extreme = f.i32(extremes.plus(offset));
      const wanted = f.floats(f.load(extreme));
      // From the end on, so that the first position stays.
      position.set(p.length.minus(1));
      at.set(source.plus(offset).plus(position.times(stride)));
      f.doWhile(() => {
        const lanes = f.floats(f.load(at));
        positions.set(isFound(lanes, wanted).selectInts(splatInt(position), positions));
        at.set(at.minus(stride));
        position.set(position.minus(1));
      }, position.atLeast(0));
      offset.set(offset.plus(target));
      f.store(offset, positions);
      column.set(column.plus(f.lanes));
    });
    f.while(column.lessThan(endColumn), () => {
      const offset = f.i32(column.times(4));
      const start = f.i32(source.plus(offset));
      at.set(start);
      search(f, at, stride, loadF32(extremes.plus(offset)));
      f.store(target.plus(offset), at.minus(start).dividedBy(stride));
      column.set(column.plus(1));
    });
  });
});

const OPS = {
  argmax: { extreme: 'max', shortRows: defineShortRows('argmax') },
  argmin: { extreme: 'min', shortRows: defineShortRows('argmin') },
} as const;

export const argReductions: Pick<Kernels, 'argReduce'> = {
  argReduce: (op, x, axis) =>
    inFrame((frame) => {
      const { extreme, shortRows } = OPS[op];
      const [outer, length, inner] = splitAtAxis(x.shape, axis);
      const y = frame.output(reducedShape(x.shape, [axis], { keepDims: false }), 'int32');
      const source = frame.input(x);
      const items = outer * Math.ceil(inner / COLUMNS);
      const itemsOfPart = Math.max(1, Math.floor(CHUNK / (length * Math.min(inner, COLUMNS))));
      const areShort = inner === 1 && length < SHORT;
      const extremes = areShort ? NOWHERE : frame.temporary(outer * inner * 4);
      if (!areShort) extremumOfAxis(frame, extreme, source, { outer, length, inner }, extremes);
      const task = areShort ? shortRows : inner === 1 ? rowsTask : columnsTask;
      frame.run(task, Math.ceil(items / itemsOfPart), {
        x: source,
        extremes,
        y: y.address,
        length,
        inner,
        items,
        itemsOfPart,
      });
      return y.array;
    }),
};
