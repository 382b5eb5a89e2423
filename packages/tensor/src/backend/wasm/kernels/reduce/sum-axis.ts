import { splatF64 } from '../../assembler/doubles.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import type { LocalsOf } from '../../assembler/parameters.ts';
import { type F64, f64, type I32, loadF32, loadF64 } from '../../assembler/scalars.ts';
import type { Address } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { LongSum, toFloats } from '../lanes/long-sum.ts';
import { CHUNK } from '../loops/flat-arrays.ts';
import { cutAxis, forPieces, type MiddleAxis, PIECES } from './axis-pieces.ts';

/** Elements of an axis that one part adds up; the sums of parts are added afterwards. */
const MOST_TERMS = 4096;
const LEAST_TERMS = 64;
/** Vectors of a row that are added side by side, so that additions need not wait. */
const ROW_VECTORS = 4;
/** Vectors of columns that are summed side by side: a line of the cache. */
const COLUMN_VECTORS = 4;

const FIELDS = {
  source: 'address',
  target: 'address',
  cut: PIECES,
  /** What sums are divided by before they are stored as float32; 0 to store them as float64. */
  divisor: 'i32',
  /** Rows that lie one behind the other, and bytes that are left out after them. */
  groups: { rows: 'i32', gap: 'bytes' },
} as const;

/** Where a task puts its sums. */
interface Output {
  readonly target: I32;
  /** 1 / divisor. */
  readonly share: F64;
  readonly divisor: I32;
}

function outputOf(f: FunctionBuilder, { target, divisor }: LocalsOf<typeof FIELDS>): Output {
  return { target, divisor, share: f.f64(f64(1).dividedBy(divisor.toF64())) };
}

function storeSum(
  f: FunctionBuilder,
  { target, divisor, share }: Output,
  index: I32,
  sum: F64,
): void {
  f.if(
    divisor,
    () => f.store(target.plus(index.times(4)), sum.times(share).toF32()),
    () => f.store(target.plus(index.times(8)), sum),
  );
}

/** target[outer, piece] = Σ of one piece of a row of float32 source[outer, length]. */
const rowsTask = defineTask('sumOfRows', FIELDS, (f, p, { index }) => {
  const sums = Array.from({ length: ROW_VECTORS }, () => new LongSum(f));
  const total = f.f64();
  const output = outputOf(f, p);
  const at = f.i32();
  forPieces(f, p.cut, index, (item, { start, length }) => {
    const group = item.dividedBy(p.cut.pieces).dividedBy(p.groups.rows);
    at.set(p.source.plus(group.times(p.groups.gap)).plus(start.times(4)));
    total.set(0);
    sums[0].clear();
    f.if(length.atLeast(ROW_VECTORS * 4), () => {
      const others = sums.slice(1);
      for (const sum of others) sum.clear();
      f.doWhile(
        () => {
          sums.forEach((sum, i) => {
            sum.addAt(at, i * 16);
          });
          at.set(at.plus(ROW_VECTORS * 16));
          length.set(length.minus(ROW_VECTORS * 4));
        },
        length.atLeast(ROW_VECTORS * 4),
      );
      for (const sum of others) total.set(total.plus(sum.total));
    });
    f.while(length.atLeast(4), () => {
      sums[0].addAt(at);
      at.set(at.plus(16));
      length.set(length.minus(4));
    });
    total.set(total.plus(sums[0].total));
    f.while(length.greaterThan(0), () => {
      total.set(total.plus(loadF32(at).toF64()));
      at.set(at.plus(4));
      length.set(length.minus(1));
    });
    storeSum(f, output, item, total);
  });
});

/** Stores the sums of neighbouring columns from number `first` of the target on. */
function storeColumns(
  f: FunctionBuilder,
  { target, divisor, share }: Output,
  first: I32,
  sums: readonly LongSum[],
): void {
  f.if(
    divisor,
    () => {
      const shares = f.f64x2(splatF64(share));
      sums.forEach(({ lanes: [low, high] }, i) => {
        const means = toFloats([low.times(shares), high.times(shares)]);
        f.store(target.plus(first.times(4)), means, i * 16);
      });
    },
    () => {
      sums.forEach(({ lanes }, i) => {
        lanes.forEach((half, j) => {
          f.store(target.plus(first.times(8)), half, i * 32 + j * 16);
        });
      });
    },
  );
}

/**
 * target[outer, piece, inner] = Σ over one piece of the middle axis of source[outer, length, inner],
 * of float32 or, where the source holds sums already, of float64.
 */
function defineColumns(name: string, { areSums }: { areSums: boolean }) {
  const bytes = areSums ? 8 : 4;
  return defineTask(name, FIELDS, (f, p, { index }) => {
    const sums = Array.from({ length: COLUMN_VECTORS }, () => new LongSum(f));
    const column = f.i32();
    const output = outputOf(f, p);
    const at = f.i32();
    const stride = f.i32(p.cut.inner.times(bytes));
    forPieces(f, p.cut, index, (item, { start, length }) => {
      const source = f.i32(p.source.plus(start.times(stride)));
      const target = f.i32(item.times(p.cut.inner));
      column.set(0);
      for (const vectors of [COLUMN_VECTORS, 1]) {
        const chosen = sums.slice(0, vectors);
        f.while(column.plus(vectors * 4).atMost(p.cut.inner), () => {
          at.set(source.plus(column.times(bytes)));
          for (const sum of chosen) sum.clear();
          f.for(0, length, 1, () => {
            chosen.forEach((sum, i) => {
              if (areSums) sum.addDoublesAt(at, i * 32);
              else sum.addAt(at, i * 16);
            });
            at.set(at.plus(stride));
          });
          storeColumns(f, output, target.plus(column), chosen);
          column.set(column.plus(vectors * 4));
        });
      }
      f.while(column.lessThan(p.cut.inner), () => {
        at.set(source.plus(column.times(bytes)));
        sums[0].clear();
        f.for(0, length, 1, () => {
          sums[0].addSingle(areSums ? loadF64(at) : loadF32(at));
          at.set(at.plus(stride));
        });
        storeSum(f, output, target.plus(column), sums[0].total);
        column.set(column.plus(1));
      });
    });
  });
}

const columnsTask = defineColumns('sumOfColumns', { areSums: false });
const sumsTask = defineColumns('sumOfSums', { areSums: true });

/** Where terms of a sum lie, as float32 or, where they are sums themselves, as float64. */
export interface Terms {
  readonly address: Address;
  readonly areSums: boolean;
  /** Where rows of float32 do not follow each other: how many do, and the bytes between such groups. */
  readonly groups?: { readonly rows: number; readonly gap: number };
}

/** Where a sum goes: as float32 divided by `divisor`, or where that is null as float64. */
export interface SumTarget {
  readonly address: Address;
  readonly divisor: number | null;
}

/** target[outer, inner] = Σ source[outer, length, inner] over the middle axis, in float64. */
export function sumAxis(frame: Frame, source: Terms, axis: MiddleAxis, target: SumTarget): void {
  const { outer, length, inner } = axis;
  const fitting = Math.max(LEAST_TERMS, Math.floor(CHUNK / inner));
  const { pieces, items, parts, cut } = cutAxis(axis, Math.min(MOST_TERMS, fitting, length));
  const isLast = pieces === 1;
  const task = source.areSums ? sumsTask : inner === 1 ? rowsTask : columnsTask;
  const sums = isLast ? target.address : frame.temporary(items * inner * 8);
  frame.run(task, parts, {
    cut,
    groups: source.groups ?? { rows: outer, gap: 0 },
    source: source.address,
    target: sums,
    divisor: isLast ? (target.divisor ?? 0) : 0,
  });
  if (!isLast) {
    sumAxis(frame, { address: sums, areSums: true }, { outer, length: pieces, inner }, target);
  }
}
