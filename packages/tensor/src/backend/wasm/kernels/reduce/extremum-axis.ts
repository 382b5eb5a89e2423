import type { ExtremumOp } from '../../../contract.ts';
import { loadF32x4, loadFloats } from '../../assembler/loads.ts';
import type { Local } from '../../assembler/parameters.ts';
import { type F32, loadF32 } from '../../assembler/scalars.ts';
import { type Floats, splat } from '../../assembler/vectors.ts';
import type { Address } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { halvesOf } from '../lanes/halves.ts';
import { cutAxis, forPieces, type MiddleAxis, PIECES } from './axis-pieces.ts';

/** Elements that are compared one after another; of longer axes the bests of pieces are. */
const PIECE = 4096;
/** Vectors of eight that a row is compared into side by side, so that comparisons need not wait. */
const ROW_VECTORS = 2;
/** The same of columns: a line of the cache. */
const COLUMN_VECTORS = 2;

const FIELDS = { source: 'address', target: 'address', cut: PIECES } as const;

const START = { max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY } as const;

function combine<V extends F32 | Floats>(op: ExtremumOp, best: V, value: V): V {
  // Both have the same class, which the compiler cannot follow through the union.
  const [a, b] = [best, value] as unknown as [Floats, Floats];
  return (op === 'max' ? a.max(b) : a.min(b)) as unknown as V;
}

/** target[outer, piece] = the extremum of one piece of a row of source[outer, length]. */
function defineRows(op: ExtremumOp) {
  return defineTask(`${op}OfRows`, FIELDS, (f, p, { index }) => {
    const bests = Array.from({ length: ROW_VECTORS }, () => f.f32x8());
    const best = f.f32x4();
    const single = f.f32();
    const at = f.i32();
    forPieces(f, p.cut, index, (item, { start, length: rest }) => {
      at.set(p.source.plus(start.times(4)));
      best.set(splat(START[op]));
      f.if(rest.atLeast(ROW_VECTORS * 8), () => {
        for (const vector of bests) vector.set(splat(START[op]));
        f.doWhile(
          () => {
            bests.forEach((vector, i) => {
              vector.set(combine<Floats>(op, vector, loadFloats(at, i * 32, 8)));
            });
            at.set(at.plus(ROW_VECTORS * 32));
            rest.set(rest.minus(ROW_VECTORS * 8));
          },
          rest.atLeast(ROW_VECTORS * 8),
        );
        const [initial, ...others] = bests;
        const both = others.reduce<Floats>((all, vector) => combine(op, all, vector), initial);
        const [first, second] = halvesOf(f, f.f32x8(both));
        best.set(combine<Floats>(op, first, second));
      });
      f.while(rest.atLeast(4), () => {
        best.set(combine<Floats>(op, best, loadF32x4(at)));
        at.set(at.plus(16));
        rest.set(rest.minus(4));
      });
      single.set(best.lane(0));
      for (let lane = 1; lane < 4; lane++) single.set(combine<F32>(op, single, best.lane(lane)));
      f.while(rest.greaterThan(0), () => {
        single.set(combine<F32>(op, single, loadF32(at)));
        at.set(at.plus(4));
        rest.set(rest.minus(1));
      });
      f.store(p.target.plus(item.times(4)), single);
    });
  });
}

/**
 * target[outer, piece, inner] = the extremum over one piece of the middle axis of
 * source[outer, length, inner].
 */
function defineColumns(op: ExtremumOp) {
  return defineTask(`${op}OfColumns`, FIELDS, (f, p, { index }) => {
    const several = Array.from({ length: COLUMN_VECTORS }, () => f.f32x8());
    const few = [f.f32x4()];
    const single: Local<F32> = f.f32();
    const at = f.i32();
    const stride = f.i32(p.cut.inner.times(4));
    forPieces(f, p.cut, index, (item, { start, length: rows }) => {
      const source = f.i32(p.source.plus(start.times(stride)));
      const target = f.i32(p.target.plus(item.times(stride)));
      const column = f.i32(0);
      for (const bests of [several, few]) {
        const [{ lanes }] = bests;
        const columns = bests.length * lanes;
        f.while(column.plus(columns).atMost(p.cut.inner), () => {
          for (const best of bests) best.set(splat(START[op]));
          at.set(source.plus(column.times(4)));
          f.for(0, rows, 1, () => {
            bests.forEach((best, i) => {
              best.set(combine<Floats>(op, best, loadFloats(at, i * lanes * 4, lanes)));
            });
            at.set(at.plus(stride));
          });
          at.set(target.plus(column.times(4)));
          bests.forEach((best, i) => {
            f.store(at, best, i * lanes * 4);
          });
          column.set(column.plus(columns));
        });
      }
      f.while(column.lessThan(p.cut.inner), () => {
        single.set(START[op]);
        at.set(source.plus(column.times(4)));
        f.for(0, rows, 1, () => {
          single.set(combine<F32>(op, single, loadF32(at)));
          at.set(at.plus(stride));
        });
        f.store(target.plus(column.times(4)), single);
        column.set(column.plus(1));
      });
    });
  });
}

const TASKS = {
  max: { rows: defineRows('max'), columns: defineColumns('max') },
  min: { rows: defineRows('min'), columns: defineColumns('min') },
} as const;

/** target[outer, inner] = the largest or smallest of source[outer, length, inner] over the middle axis. */
export function extremumOfAxis(
  frame: Frame,
  op: ExtremumOp,
  source: Address,
  axis: MiddleAxis,
  target: Address,
): void {
  const { outer, length, inner } = axis;
  const { pieces, items, parts, cut } = cutAxis(axis, Math.min(length, PIECE));
  const isLast = pieces === 1;
  const partial = isLast ? target : frame.temporary(items * inner * 4);
  const task = inner === 1 ? TASKS[op].rows : TASKS[op].columns;
  frame.run(task, parts, { cut, source, target: partial });
  if (!isLast) extremumOfAxis(frame, op, partial, { outer, length: pieces, inner }, target);
}
