import type { NdArray } from '../../../core/ndarray.ts';
import { reducedShape } from '../../../core/shape.ts';
import type { DeclinedCalls } from '../../declined.ts';
import type { Kernels, ReduceOp } from '../../kernels.ts';
import type { Local } from '../assembler/function.ts';
import { type F32, loadF32 } from '../assembler/scalars.ts';
import { type F32x4, loadF32x4, splat } from '../assembler/vectors.ts';
import { type Frame, inFrame } from '../frame.ts';
import { defineTask } from '../task.ts';
import { CHUNK } from './rows.ts';

/** Elements that are combined one after another; longer sums are sums of such sums. */
const PIECE = 4096;
/** Vectors that a row is combined into side by side, so that additions need not wait. */
const LANES = 4;

type Combination = 'sum' | 'max' | 'min';

const START = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY } as const;

function combine<V extends F32 | F32x4>(op: Combination, total: V, value: V): V {
  // Both have the same class, which the compiler cannot follow through the union.
  const [a, b] = [total, value] as unknown as [F32x4, F32x4];
  if (op === 'sum') return a.plus(b) as unknown as V;
  return (op === 'max' ? a.max(b) : a.min(b)) as unknown as V;
}

const FIELDS = {
  source: 'i32',
  target: 'i32',
  outer: 'i32',
  length: 'i32',
  inner: 'i32',
  pieces: 'i32',
  itemsOfPart: 'i32',
  scale: 'f32',
} as const;

/** target[outer, piece] = scale · the combination of one piece of a row of source[outer, length]. */
function defineRows(op: Combination) {
  return defineTask(`${op}OfRows`, FIELDS, (f, p, { index }) => {
    const sums = f.f32x4s(LANES);
    const total = f.f32();
    const at = f.i32();
    const rest = f.i32();
    const first = f.i32(index.times(p.itemsOfPart));
    const end = f.i32(first.plus(p.itemsOfPart));
    end.set(end.min(p.outer.times(p.pieces)));
    f.for(first, end, 1, (item) => {
      const start = f.i32(item.modulo(p.pieces).times(PIECE));
      at.set(p.source.plus(item.dividedBy(p.pieces).times(p.length).plus(start).times(4)));
      rest.set(p.length.minus(start));
      rest.set(rest.min(PIECE));
      for (const sum of sums) sum.set(splat(START[op]));
      f.while(rest.atLeast(LANES * 4), () => {
        sums.forEach((sum, i) => {
          sum.set(combine<F32x4>(op, sum, loadF32x4(at, i * 16)));
        });
        at.set(at.plus(LANES * 16));
        rest.set(rest.minus(LANES * 4));
      });
      f.while(rest.atLeast(4), () => {
        sums[0].set(combine<F32x4>(op, sums[0], loadF32x4(at)));
        at.set(at.plus(16));
        rest.set(rest.minus(4));
      });
      for (const sum of sums.slice(1)) sums[0].set(combine<F32x4>(op, sums[0], sum));
      total.set(sums[0].lane(0));
      for (let lane = 1; lane < 4; lane++) total.set(combine<F32>(op, total, sums[0].lane(lane)));
      f.while(rest.greaterThan(0), () => {
        total.set(combine<F32>(op, total, loadF32(at)));
        at.set(at.plus(4));
        rest.set(rest.minus(1));
      });
      f.store(p.target.plus(item.times(4)), total.times(p.scale));
    });
  });
}

/**
 * target[outer, piece, inner] = scale · the combination over one piece of the middle axis of
 * source[outer, length, inner].
 */
function defineColumns(op: Combination) {
  return defineTask(`${op}OfColumns`, FIELDS, (f, p, { index }) => {
    const sum = f.f32x4();
    const total: Local<F32> = f.f32();
    const at = f.i32();
    const stride = f.i32(p.inner.times(4));
    const first = f.i32(index.times(p.itemsOfPart));
    const end = f.i32(first.plus(p.itemsOfPart));
    end.set(end.min(p.outer.times(p.pieces)));
    f.for(first, end, 1, (item) => {
      const start = f.i32(item.modulo(p.pieces).times(PIECE));
      const rows = f.i32(p.length.minus(start));
      rows.set(rows.min(PIECE));
      const source = f.i32(
        p.source.plus(item.dividedBy(p.pieces).times(p.length).plus(start).times(stride)),
      );
      const target = f.i32(p.target.plus(item.times(stride)));
      const column = f.i32(0);
      f.while(column.plus(4).atMost(p.inner), () => {
        sum.set(splat(START[op]));
        at.set(source.plus(column.times(4)));
        f.for(0, rows, 1, () => {
          sum.set(combine<F32x4>(op, sum, loadF32x4(at)));
          at.set(at.plus(stride));
        });
        f.store(target.plus(column.times(4)), sum.times(splat(p.scale)));
        column.set(column.plus(4));
      });
      f.while(column.lessThan(p.inner), () => {
        total.set(START[op]);
        at.set(source.plus(column.times(4)));
        f.for(0, rows, 1, () => {
          total.set(combine<F32>(op, total, loadF32(at)));
          at.set(at.plus(stride));
        });
        f.store(target.plus(column.times(4)), total.times(p.scale));
        column.set(column.plus(1));
      });
    });
  });
}

const TASKS = {
  sum: { rows: defineRows('sum'), columns: defineColumns('sum') },
  max: { rows: defineRows('max'), columns: defineColumns('max') },
  min: { rows: defineRows('min'), columns: defineColumns('min') },
} as const;

/** An array seen as [outer, length, inner], of which the middle axis is reduced. */
export interface MiddleAxis {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** target[outer, inner] = scale · the combination of source[outer, length, inner] over the middle. */
export function reduceAxis(
  frame: Frame,
  op: Combination,
  source: number,
  { outer, length, inner }: MiddleAxis,
  target: number,
  scale = 1,
): void {
  const pieces = Math.ceil(length / PIECE);
  const isLast = pieces === 1;
  const partial = isLast ? target : frame.temporary(outer * pieces * inner * 4);
  const task = inner === 1 ? TASKS[op].rows : TASKS[op].columns;
  const items = outer * pieces;
  const itemsOfPart = Math.max(1, Math.floor(CHUNK / (Math.min(length, PIECE) * inner)));
  frame.run(task, Math.ceil(items / itemsOfPart), {
    source,
    target: partial,
    outer,
    length,
    inner,
    pieces,
    itemsOfPart,
    scale: isLast ? scale : 1,
  });
  if (!isLast) {
    reduceAxis(frame, op, partial, { outer, length: pieces, inner }, target, scale);
  }
}

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
      const combination = op === 'mean' ? 'sum' : op;
      let source = frame.input(x);
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
        const target = left === 0 ? y.address : frame.temporary(outer * inner * 4);
        const scale = left === 0 && op === 'mean' ? 1 / count : 1;
        reduceAxis(frame, combination, source, { outer, length, inner }, target, scale);
        source = target;
      }
      return y.array;
    }),
};
