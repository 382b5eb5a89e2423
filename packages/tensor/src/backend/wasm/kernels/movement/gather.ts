import { NdArray } from '../../../../core/ndarray.ts';
import { splitAtAxis } from '../../../../core/shape.ts';
import { HostSource } from '../../../../core/storage-source.ts';
import type { Kernels } from '../../../contract.ts';
import type { DeclinedCalls } from '../../../declined.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import { type I32, loadF32, loadI32 } from '../../assembler/scalars.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { LongSum, toFloats } from '../lanes/long-sum.ts';
import { CHUNK } from '../loops/flat-arrays.ts';
import { partRange } from '../loops/part-range.ts';
import { copyRow, fillRow } from '../loops/rows.ts';

/** Rows [before, length, after] by their numbers, and gradients added up at these. */

/** Vectors of a row that are added side by side: a line of the cache. */
const VECTORS = 4;
/** Elements that take longer to copy than a call. */
const LARGE_TABLE = 2 ** 16;

/** Rows of the result, dealt out to parts; `count` indices, and `length` rows in each block of the table. */
const ROWS = {
  count: 'i32',
  length: 'i32',
  after: 'i32',
  rows: 'i32',
  rowsOfPart: 'i32',
} as const;

const gatherTask = defineTask(
  'gather',
  {
    x: 'address',
    indices: 'address',
    y: 'address',
    ...ROWS,
  },
  (f, p, { index }) => {
    const { first, end } = partRange(f, index, p.rowsOfPart, p.rows);
    const bytes = f.i32(p.after.times(4));
    f.for(first, end, 1, (row) => {
      const place = loadI32(p.indices.plus(row.modulo(p.count).times(4)));
      const from = row.dividedBy(p.count).times(p.length).plus(place);
      const source = p.x.plus(from.times(bytes));
      f.call(copyRow, { target: p.y.plus(row.times(bytes)), source, count: p.after });
    });
  },
);

/**
 * Each row of the result from the rows of the gradient that belong to it, whose numbers lie side by
 * side in `order` from `starts` of the row on.
 */
const gatherGradTask = defineTask(
  'gatherGrad',
  {
    gradOut: 'address',
    order: 'address',
    starts: 'address',
    gradIn: 'address',
    ...ROWS,
  },
  (f, p, { index }) => {
    const { first, end } = partRange(f, index, p.rowsOfPart, p.rows);
    const bytes = f.i32(p.after.times(4));
    const sums = Array.from({ length: VECTORS }, () => new LongSum(f));
    f.for(first, end, 1, (row) => {
      const starts = f.i32(p.starts.plus(row.modulo(p.length).times(4)));
      const from = f.i32(p.order.plus(loadI32(starts).times(4)));
      const to = f.i32(p.order.plus(loadI32(starts, 4).times(4)));
      const target = f.i32(p.gradIn.plus(row.times(bytes)));
      const block = f.i32(p.gradOut.plus(row.dividedBy(p.length).times(p.count).times(bytes)));
      const source = (at: I32): I32 => block.plus(loadI32(at).times(bytes));
      const terms = f.i32(to.minus(from));
      f.if(
        terms.atMost(1),
        () =>
          f.if(
            terms,
            () => f.call(copyRow, { target, source: source(from), count: p.after }),
            () => f.call(fillRow, { target, count: p.after, value: 0 }),
          ),
        () => addRows(f, { from, to, target, bytes, source, sums }),
      );
    });
  },
);

/** Adds up rows in float64, some columns at a time. */
function addRows(
  f: FunctionBuilder,
  job: {
    from: I32;
    to: I32;
    target: I32;
    bytes: I32;
    source: (at: I32) => I32;
    sums: readonly LongSum[];
  },
): void {
  const { from, to, target, bytes, source, sums } = job;
  const column = f.i32(0);
  for (const vectors of [VECTORS, 1]) {
    const chosen = sums.slice(0, vectors);
    f.while(column.plus(vectors * 16).atMost(bytes), () => {
      for (const sum of chosen) sum.clear();
      f.for(from, to, 4, (at) => {
        const address = f.i32(source(at).plus(column));
        chosen.forEach((sum, i) => {
          sum.addAt(address, i * 16);
        });
      });
      chosen.forEach(({ lanes }, i) => {
        f.store(target.plus(column), toFloats(lanes), i * 16);
      });
      column.set(column.plus(vectors * 16));
    });
  }
  f.while(column.lessThan(bytes), () => {
    sums[0].clear();
    f.for(from, to, 4, (at) => {
      sums[0].addSingle(loadF32(source(at).plus(column)));
    });
    f.store(target.plus(column), sums[0].total.toF32());
    column.set(column.plus(4));
  });
}

function dealt(rows: number, after: number) {
  const rowsOfPart = Math.max(1, Math.floor(CHUNK / after));
  return { parts: Math.ceil(rows / rowsOfPart), rows, rowsOfPart, after };
}

/** The places of `indices` in the order of what they hold, and where each of these begins. */
function ordered(indices: NdArray, length: number): { order: NdArray; starts: NdArray } {
  const places = indices.data;
  const starts = new Int32Array(length + 1);
  for (const place of places) starts[place + 1]++;
  for (let i = 0; i < length; i++) starts[i + 1] += starts[i];
  const next = starts.slice();
  const order = new Int32Array(places.length);
  for (let i = 0; i < places.length; i++) order[next[places[i]]++] = i;
  return {
    order: NdArray.fromTypedArray(order, [order.length], 'int32'),
    starts: NdArray.fromTypedArray(starts, [starts.length], 'int32'),
  };
}

export const declinedGathering: DeclinedCalls = {
  gather: [
    {
      // A table that is not trained lies there, and would be copied as a whole for some of its rows.
      calls: 'few rows of a large table in main memory',
      include: (x: NdArray, indices: NdArray, axis: number) =>
        x.size > LARGE_TABLE &&
        indices.size < x.shape[axis] &&
        x.storage.source instanceof HostSource,
    },
  ],
  gatherGrad: [
    { calls: 'sums of whole numbers', include: ({ dtype }: NdArray) => dtype !== 'float32' },
  ],
};

export const gathering: Pick<Kernels, 'gather' | 'gatherGrad'> = {
  gather: (x, indices, axis) =>
    inFrame((frame) => {
      const [before, length, after] = splitAtAxis(x.shape, axis);
      const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
      const y = frame.output(shape, x.dtype);
      const count = indices.size;
      const { parts, ...rows } = dealt(before * count, after);
      frame.run(gatherTask, parts, {
        x: frame.input(x),
        indices: frame.input(indices),
        y: y.address,
        count,
        length,
        ...rows,
      });
      return y.array;
    }),

  gatherGrad: (gradOut, indices, axis, inputShape) =>
    inFrame((frame) => {
      const [before, length, after] = splitAtAxis(inputShape, axis);
      const gradIn = frame.output(inputShape);
      const { order, starts } = ordered(indices, length);
      const { parts, ...rows } = dealt(before * length, after);
      frame.run(gatherGradTask, parts, {
        gradOut: frame.input(gradOut),
        order: frame.input(order),
        starts: frame.input(starts),
        gradIn: gradIn.address,
        count: indices.size,
        length,
        ...rows,
      });
      return gradIn.array;
    }),
};
