import type { FunctionBuilder } from '../../assembler/function.ts';
import { loadFloats, loadSplat } from '../../assembler/loads.ts';
import type { Local } from '../../assembler/parameters.ts';
import type { F64, I32 } from '../../assembler/scalars.ts';
import type { Floats } from '../../assembler/vectors.ts';
import { COLLECTED_VECTORS, LongSum } from '../lanes/long-sum.ts';

/**
 * Loops over rows that lie where they are, each written once for vectors and for the single elements
 * after the last whole vector, which stand in all lanes.
 */

/** Elements of a row: `lanes` side by side, or one. */
export interface Elements {
  readonly lanes: number;
  /** Reads them from one of the rows. */
  load(row: number): Floats;
  /** A variable for as many. */
  local(value: Floats): Local<Floats>;
  /** Writes them to one of the rows. */
  store(row: number, value: Local<Floats>): void;
}

function elementsAt(f: FunctionBuilder, at: readonly I32[], lanes: number): Elements {
  return {
    lanes,
    load: (row) => (lanes === 1 ? loadSplat(at[row]) : loadFloats(at[row], 0, lanes)),
    local: (value) => (lanes === 8 ? f.f32x8(value) : f.f32x4(value)),
    store: (row, value) => f.store(at[row], lanes === 1 ? value.lane(0) : value),
  };
}

function moveOn(count: Local<I32>, at: readonly Local<I32>[], lanes: number): void {
  for (const address of at) address.set(address.plus(lanes * 4));
  count.set(count.minus(lanes));
}

/** Runs `body` for all elements of rows of equal length. */
export function forElements(
  f: FunctionBuilder,
  count: I32,
  rows: readonly I32[],
  body: (elements: Elements) => void,
): void {
  const at = rows.map((row) => f.i32(row));
  const left = f.i32(count);
  const step = (lanes: number): void => {
    body(elementsAt(f, at, lanes));
    moveOn(left, at, lanes);
  };
  f.while(left.atLeast(f.lanes), () => step(f.lanes));
  if (f.lanes > 4) f.if(left.atLeast(4), () => step(4));
  f.while(left.greaterThan(0), () => step(1));
}

/** Sums of the `terms` that all elements of rows of equal length give, eight at a time everywhere. */
export function sumsOverRow(
  f: FunctionBuilder,
  count: I32,
  rows: readonly I32[],
  terms: readonly ((elements: Elements) => Floats)[],
): Local<F64>[] {
  const sums = terms.map(() => new LongSum(f));
  const at = rows.map((row) => f.i32(row));
  const left = f.i32(count);
  const leftAfterFlush = f.i32();
  f.while(left.atLeast(8), () => {
    leftAfterFlush.set(left.minus(COLLECTED_VECTORS * 8));
    leftAfterFlush.set(leftAfterFlush.max(7));
    f.doWhile(() => {
      terms.forEach((term, i) => {
        sums[i].collect(term(elementsAt(f, at, 8)));
      });
      moveOn(left, at, 8);
    }, left.greaterThan(leftAfterFlush));
    for (const sum of sums) sum.flush();
  });
  f.while(left.greaterThan(0), () => {
    terms.forEach((term, i) => {
      sums[i].addSingle(term(elementsAt(f, at, 1)).lane(0));
    });
    moveOn(left, at, 1);
  });
  return sums.map(({ total }) => f.f64(total));
}
