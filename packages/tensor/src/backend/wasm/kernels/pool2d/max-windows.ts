import type { FunctionBuilder } from '../../assembler/function.ts';
import { intLanes } from '../../assembler/int-lanes.ts';
import { loadF32x4, loadFloats } from '../../assembler/loads.ts';
import type { Local, LocalsOf } from '../../assembler/parameters.ts';
import type { I32 } from '../../assembler/scalars.ts';
import { type Floats, type Ints, splatInt } from '../../assembler/vectors.ts';
import type { AXIS } from './fields.ts';

/** Windows of max-pooling side by side, as many as vectors have lanes. */

/** A size of window for which neighbours are computed at once where they lie inside the input. */
export interface FastWindow {
  readonly kernel: number;
  readonly stride: 1 | 2;
}

/**
 * Which window each lane holds. Eight lanes with stride 2 come out of two loads with halves crossed,
 * because instructions on 256 bits do not pick across the middle; see `storeInOrder`.
 */
function windowsOfLanes(lanes: number, stride: 1 | 2): readonly number[] {
  if (lanes === 8 && stride === 2) return [0, 1, 4, 5, 2, 3, 6, 7];
  return Array.from({ length: lanes }, (_, lane) => lane);
}

/** One row of windows side by side: a vector for each column of the kernel. */
function loadColumns(
  f: FunctionBuilder,
  { kernel, stride }: FastWindow,
  row: I32,
  lanes: number,
): Floats[] {
  const columns = Array.from({ length: kernel }, (_, column) => column);
  if (stride === 1) return columns.map((column) => loadFloats(row, column * 4, lanes));
  const loaded = columns
    .filter((column) => column % 2 === 0)
    .map((column) =>
      [0, lanes].map((next) => {
        const elements = loadFloats(row, (column + next) * 4, lanes);
        return f.floatsLike(elements, elements);
      }),
    );
  return columns.map((column) => {
    const [elements, next] = loaded[column >> 1];
    return elements.shuffle(next, column % 2 === 0 ? [0, 2, 4, 6] : [1, 3, 5, 7]);
  });
}

/** Where windows side by side begin. */
interface WindowsPlace {
  /** Address of the first element of the first window. */
  readonly at: I32;
  /** Its number in the plane. */
  readonly first: I32;
  /** Rows of the windows that lie inside the input. */
  readonly rowCount: I32;
  readonly width: I32;
}

/**
 * Windows side by side: their greatest elements and the places of these in the plane. NaN never
 * compares greater, so the sum of all elements tells whether there was one.
 */
export function severalWindows(
  f: FunctionBuilder,
  fast: FastWindow,
  { at, first, rowCount, width }: WindowsPlace,
  lanes: number,
): { greatest: Local<Floats>; winner: Local<Ints>; hasNaN: I32 } {
  const { kernel, stride } = fast;
  const steps = intLanes(windowsOfLanes(lanes, stride).map((window) => window * stride));
  const place = f.intsLike(steps, steps.plus(splatInt(first)));
  const one = f.i32x4(splatInt(1));
  const nextRow = f.i32x4(splatInt(width.minus(kernel - 1)));
  const winner = f.intsLike(steps, place);
  const greatest = f.floatsLike(steps);
  const value = f.floatsLike(steps);
  const sum = f.floatsLike(steps);
  const row = f.i32(at);
  const compare = (elements: Floats): void => {
    value.set(elements);
    // Places only grow, so the larger of two is that of the later element.
    winner.set(winner.max(value.greaterThan(greatest).and(place)));
    greatest.set(greatest.raisedTo(value));
    sum.set(sum.plus(value));
  };
  loadColumns(f, fast, row, lanes).forEach((elements, column) => {
    if (column === 0) {
      greatest.set(elements);
      sum.set(greatest);
    } else {
      place.set(place.plus(one));
      compare(elements);
    }
  });
  f.for(1, rowCount, 1, () => {
    row.set(row.plus(width.times(4)));
    loadColumns(f, fast, row, lanes).forEach((elements, column) => {
      place.set(place.plus(column === 0 ? nextRow : one));
      compare(elements);
    });
  });
  return { greatest, winner, hasNaN: sum.notEquals(sum).anyTrue() };
}

/** Stores what lanes hold in the order of windows. */
export function storeInOrder(
  f: FunctionBuilder,
  target: I32,
  values: Local<Floats>,
  { stride }: FastWindow,
  scratch: I32,
): void {
  if (values.lanes === 4 || stride === 1) {
    f.store(target, values);
    return;
  }
  f.store(scratch, values);
  const [first, second] = [0, 16].map((offset) => f.f32x4(loadF32x4(scratch, offset)));
  f.store(target, first.shuffle(second, [0, 1, 4, 5]));
  f.store(target, first.shuffle(second, [2, 3, 6, 7]), 16);
}

/** Stores the first `count` of four lanes, and nothing behind them, where others may write. */
export function storeSome(
  f: FunctionBuilder,
  target: I32,
  values: Local<Floats>,
  count: I32,
): void {
  for (let lane = 0; lane < 3; lane++) {
    f.if(count.greaterThan(lane), () => f.store(target, values.lane(lane), lane * 4));
  }
}

/** Windows of one row of the output that lie inside the input as a whole: [first, end). */
interface WholeWindows {
  readonly first: Local<I32>;
  readonly end: Local<I32>;
}

export function wholeWindows(
  f: FunctionBuilder,
  { kernel, stride }: FastWindow,
  { size, windows, before }: LocalsOf<typeof AXIS>,
): WholeWindows {
  const first = f.i32(before.plus(stride - 1).dividedBy(stride));
  const room = f.i32(size.plus(before).minus(kernel));
  const end = f.i32(0);
  f.if(room.atLeast(0), () => {
    end.set(room.dividedBy(stride).plus(1));
    end.set(end.min(windows));
  });
  return { first, end };
}
