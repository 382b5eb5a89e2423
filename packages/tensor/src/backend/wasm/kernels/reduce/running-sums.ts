import type { NdArray } from '../../../../core/ndarray.ts';
import { splitAtAxis } from '../../../../core/shape.ts';
import { type Doubles, highToDoubles, lowToDoubles, splatF64 } from '../../assembler/doubles.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import { loadF32x4 } from '../../assembler/loads.ts';
import type { Local, LocalsOf } from '../../assembler/parameters.ts';
import { f32, type I32, loadF32 } from '../../assembler/scalars.ts';
import { type Floats, type Lanes, splat } from '../../assembler/vectors.ts';
import { addressAfter } from '../../runtime/address.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { toFloats } from '../lanes/long-sum.ts';
import { CHUNK } from '../loops/flat-arrays.ts';
import { partRange } from '../loops/part-range.ts';

/** Running sums along the middle axis of [outer, length, inner], in float64, rounded when stored. */

/** Columns that are summed side by side: a line of the cache. */
const COLUMNS = 16;

const FIELDS = {
  /** Where the first term is, and where the first sum goes. */
  source: 'address',
  target: 'address',
  /** Rows of terms, or blocks of columns, in all and of a part. */
  items: 'i32',
  itemsOfPart: 'i32',
  /** Terms of a sum; where it leaves out its own one less, and the first of the results is 0. */
  terms: 'i32',
  isExclusive: 'flag',
  inner: 'i32',
  /** Bytes between [length, inner] planes. */
  plane: 'bytes',
  /** Blocks of columns in a plane. */
  blocks: 'i32',
} as const;

const FORWARD: Lanes = [0, 1, 2, 3];
const BACKWARD: Lanes = [3, 2, 1, 0];

/** The sums of one row, four at a time: of both pairs of lanes at once, to which what came before is added. */
function defineRows(name: string, order: Lanes) {
  const step = order === FORWARD ? 4 : -4;
  const first = Math.min(0, 3 * step);
  return defineTask(name, FIELDS, (f, p, { index }) => {
    const { first: from, end } = partRange(f, index, p.itemsOfPart, p.items);
    const [source, target, left] = f.i32sOf(3);
    const total = f.f64();
    const terms = f.f32x4();
    const [low, high] = [f.f64x2(), f.f64x2()];
    f.for(from, end, 1, (row) => {
      const offset = f.i32(row.times(p.plane));
      source.set(p.source.plus(offset));
      target.set(p.target.plus(offset));
      left.set(p.terms);
      total.set(0);
      f.if(p.isExclusive, () => {
        f.store(target, f32(0));
        target.set(target.plus(step));
      });
      f.while(left.atLeast(4), () => {
        terms.set(loadF32x4(source.plus(first)));
        terms.set(terms.shuffle(terms, order));
        const shifted = f.f32x4(terms.shuffle(splat(0), [4, 0, 4, 2]));
        low.set(lowToDoubles(terms).plus(lowToDoubles(shifted)).plus(splatF64(total)));
        high.set(
          highToDoubles(terms)
            .plus(highToDoubles(shifted))
            .plus(splatF64(low.lane(1))),
        );
        total.set(high.lane(1));
        terms.set(toFloats([low, high]));
        f.store(target.plus(first), terms.shuffle(terms, order));
        source.set(source.plus(4 * step));
        target.set(target.plus(4 * step));
        left.set(left.minus(4));
      });
      f.while(left.greaterThan(0), () => {
        total.set(total.plus(loadF32(source).toF64()));
        f.store(target, total.toF32());
        source.set(source.plus(step));
        target.set(target.plus(step));
        left.set(left.minus(1));
      });
    });
  });
}

/** The sums of neighbouring columns whose first terms are at `source`: vectors of `f.lanes`. */
function sumColumns(
  f: FunctionBuilder,
  p: LocalsOf<typeof FIELDS>,
  [source, target, stride]: readonly Local<I32>[],
  vectors: number,
): void {
  const values = f.floatsOf(vectors);
  const sums = values.map((value): [Local<Doubles>, Local<Doubles>] => [
    f.doublesLike(value),
    f.doublesLike(value),
  ]);
  const storeAll = (vectorOf: (i: number) => Floats): void => {
    for (let i = 0; i < vectors; i++) f.store(target, vectorOf(i), i * f.lanes * 4);
    target.set(target.plus(stride));
  };
  for (const sum of sums.flat()) sum.set(splatF64(0));
  f.if(p.isExclusive, () => {
    for (const value of values) value.set(splat(0));
    storeAll((i) => values[i]);
  });
  f.for(0, p.terms, 1, () => {
    values.forEach((value, i) => {
      const [low, high] = sums[i];
      value.set(f.load(source, i * f.lanes * 4));
      low.set(low.plus(lowToDoubles(value)));
      high.set(high.plus(highToDoubles(value)));
    });
    storeAll((i) => toFloats(sums[i]));
    source.set(source.plus(stride));
  });
}

function defineColumns(name: string, sign: 1 | -1) {
  return defineTask(name, FIELDS, (f, p, { index }) => {
    const { first, end } = partRange(f, index, p.itemsOfPart, p.items);
    const [source, target, column, last] = f.i32sOf(4);
    const stride = f.i32(p.inner.times(4 * sign));
    const total = f.f64();
    f.for(first, end, 1, (item) => {
      const offset = f.i32(item.dividedBy(p.blocks).times(p.plane));
      column.set(item.modulo(p.blocks).times(COLUMNS));
      last.set(column.plus(COLUMNS).min(p.inner));
      const moveTo = (): void => {
        source.set(p.source.plus(offset).plus(column.times(4)));
        target.set(p.target.plus(offset).plus(column.times(4)));
      };
      f.if(last.minus(column).equals(COLUMNS), () => {
        moveTo();
        sumColumns(f, p, [source, target, stride], COLUMNS / f.lanes);
        column.set(last);
      });
      f.while(column.lessThan(last), () => {
        moveTo();
        total.set(0);
        f.if(p.isExclusive, () => {
          f.store(target, f32(0));
          target.set(target.plus(stride));
        });
        f.for(0, p.terms, 1, () => {
          total.set(total.plus(loadF32(source).toF64()));
          f.store(target, total.toF32());
          source.set(source.plus(stride));
          target.set(target.plus(stride));
        });
        column.set(column.plus(1));
      });
    });
  });
}

const TASKS = {
  rows: {
    forward: defineRows('cumsumOfRows', FORWARD),
    backward: defineRows('cumsumOfRowsBackward', BACKWARD),
  },
  columns: {
    forward: defineColumns('cumsumOfColumns', 1),
    backward: defineColumns('cumsumOfColumnsBackward', -1),
  },
} as const;

/** y_i = Σ_{j ≤ i} x_j along an axis, or Σ_{j < i} if `exclusive`; from the end if `reverse`. */
export function runningSums(
  x: NdArray,
  { axis, exclusive, reverse }: { axis: number; exclusive: boolean; reverse: boolean },
): NdArray {
  return inFrame((frame) => {
    const [outer, length, inner] = splitAtAxis(x.shape, axis);
    const y = frame.output(x.shape);
    const isRow = inner === 1;
    const blocks = Math.ceil(inner / COLUMNS);
    const items = outer * blocks;
    const itemsOfPart = Math.max(1, Math.floor(CHUNK / (length * Math.min(inner, COLUMNS))));
    const start = reverse ? (length - 1) * inner * 4 : 0;
    const task = (isRow ? TASKS.rows : TASKS.columns)[reverse ? 'backward' : 'forward'];
    frame.run(task, Math.ceil(items / itemsOfPart), {
      source: addressAfter(frame.input(x), start),
      target: addressAfter(y.address, start),
      items,
      itemsOfPart,
      terms: exclusive ? length - 1 : length,
      isExclusive: exclusive,
      inner,
      plane: length * inner * 4,
      blocks,
    });
    return y.array;
  });
}
