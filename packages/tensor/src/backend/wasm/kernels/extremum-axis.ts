import type { Local } from '../assembler/function.ts';
import { loadF32x4 } from '../assembler/loads.ts';
import { type F32, loadF32 } from '../assembler/scalars.ts';
import { type Floats, splat } from '../assembler/vectors.ts';
import type { Frame } from '../frame.ts';
import { defineTask } from '../task.ts';
import { cutAxis, forPieces, type MiddleAxis, PIECE_FIELDS } from './axis-pieces.ts';

/** Elements that are compared one after another; of longer axes the bests of pieces are. */
const PIECE = 4096;
/** Vectors that a row is compared into side by side, so that comparisons need not wait. */
const LANES = 4;

type Extremum = 'max' | 'min';

const START = { max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY } as const;

function combine<V extends F32 | Floats>(op: Extremum, best: V, value: V): V {
  // Both have the same class, which the compiler cannot follow through the union.
  const [a, b] = [best, value] as unknown as [Floats, Floats];
  return (op === 'max' ? a.max(b) : a.min(b)) as unknown as V;
}

/** target[outer, piece] = the extremum of one piece of a row of source[outer, length]. */
function defineRows(op: Extremum) {
  return defineTask(`${op}OfRows`, PIECE_FIELDS, (f, p, { index }) => {
    const bests = f.f32x4s(LANES);
    const single = f.f32();
    const at = f.i32();
    forPieces(f, p, index, (item, { start, length: rest }) => {
      at.set(p.source.plus(start.times(4)));
      for (const best of bests) best.set(splat(START[op]));
      f.while(rest.atLeast(LANES * 4), () => {
        bests.forEach((best, i) => {
          best.set(combine<Floats>(op, best, loadF32x4(at, i * 16)));
        });
        at.set(at.plus(LANES * 16));
        rest.set(rest.minus(LANES * 4));
      });
      f.while(rest.atLeast(4), () => {
        bests[0].set(combine<Floats>(op, bests[0], loadF32x4(at)));
        at.set(at.plus(16));
        rest.set(rest.minus(4));
      });
      for (const best of bests.slice(1)) bests[0].set(combine<Floats>(op, bests[0], best));
      single.set(bests[0].lane(0));
      for (let lane = 1; lane < 4; lane++)
        single.set(combine<F32>(op, single, bests[0].lane(lane)));
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
function defineColumns(op: Extremum) {
  return defineTask(`${op}OfColumns`, PIECE_FIELDS, (f, p, { index }) => {
    const bests = f.f32x4();
    const single: Local<F32> = f.f32();
    const at = f.i32();
    const stride = f.i32(p.inner.times(4));
    forPieces(f, p, index, (item, { start, length: rows }) => {
      const source = f.i32(p.source.plus(start.times(stride)));
      const target = f.i32(p.target.plus(item.times(stride)));
      const column = f.i32(0);
      f.while(column.plus(4).atMost(p.inner), () => {
        bests.set(splat(START[op]));
        at.set(source.plus(column.times(4)));
        f.for(0, rows, 1, () => {
          bests.set(combine<Floats>(op, bests, loadF32x4(at)));
          at.set(at.plus(stride));
        });
        f.store(target.plus(column.times(4)), bests);
        column.set(column.plus(4));
      });
      f.while(column.lessThan(p.inner), () => {
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
  op: Extremum,
  source: number,
  axis: MiddleAxis,
  target: number,
): void {
  const { outer, length, inner } = axis;
  const { pieces, items, parts, fields } = cutAxis(axis, Math.min(length, PIECE));
  const isLast = pieces === 1;
  const partial = isLast ? target : frame.temporary(items * inner * 4);
  const task = inner === 1 ? TASKS[op].rows : TASKS[op].columns;
  frame.run(task, parts, { ...fields, source, target: partial });
  if (!isLast) extremumOfAxis(frame, op, partial, { outer, length: pieces, inner }, target);
}
