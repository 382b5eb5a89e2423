import type { NdArray } from '../../../../core/ndarray.ts';
import { defineFunction, type FunctionBuilder } from '../../assembler/function.ts';
import { loadFloats } from '../../assembler/loads.ts';
import type { Local } from '../../assembler/parameters.ts';
import type { F32, F64, I32 } from '../../assembler/scalars.ts';
import { type Floats, sideBySide, splat } from '../../assembler/vectors.ts';
import { SCRATCH_BYTES } from '../../runtime/runtime.ts';
import { exponential, logarithm } from '../elementwise/functions.ts';
import { COLLECTED_VECTORS, LongSum } from '../lanes/long-sum.ts';
import { copyLine } from '../loops/rows.ts';

/**
 * Softmax of lines along one axis. A line is first copied into the thread's memory, its elements side
 * by side and filled up to a whole vector with numbers that do not count, and worked on there.
 */

/** Longest line: four of them fit into the thread's memory. */
const MOST_ELEMENTS = SCRATCH_BYTES / 4 / 4 - 16;
/** Elements of one part. */
const PART_ELEMENTS = 4096;

/** Copies `count` elements that lie `stride` bytes apart, and fills up to eight or a multiple. */
export const gatherLine = defineFunction(
  'gatherLine',
  { source: 'address', stride: 'bytes', count: 'i32', target: 'address', filler: 'f32' },
  (f, { source, stride, count, target, filler }) => {
    const end = f.i32(target.plus(count.times(4)));
    f.call(copyLine, { target, targetStep: 4, source, sourceStep: stride, count });
    f.store(end, sideBySide([splat(filler), splat(filler)]));
  },
);

/** Runs `body` for each whole vector of `lines` of equal length, with its address in each. */
export function forLines(
  f: FunctionBuilder,
  count: I32,
  lines: readonly I32[],
  body: (at: readonly I32[]) => void,
): void {
  const at = lines.map((line) => f.i32(line));
  const left = f.i32(count);
  f.doWhile(() => {
    body(at);
    for (const address of at) address.set(address.plus(f.lanes * 4));
    left.set(left.minus(f.lanes));
  }, left.greaterThan(0));
}

/** The sum of what `body` gives for every eight elements of `lines` of equal length. */
export function sumOverLines(
  f: FunctionBuilder,
  count: I32,
  lines: readonly I32[],
  body: (at: readonly I32[]) => Floats,
): F64 {
  const sum = new LongSum(f);
  const at = lines.map((line) => f.i32(line));
  const left = f.i32(count);
  const leftAfterFlush = f.i32();
  f.doWhile(() => {
    leftAfterFlush.set(left.minus(COLLECTED_VECTORS * 8));
    leftAfterFlush.set(leftAfterFlush.max(0));
    f.doWhile(() => {
      sum.collect(body(at));
      for (const address of at) address.set(address.plus(8 * 4));
      left.set(left.minus(8));
    }, left.greaterThan(leftAfterFlush));
    sum.flush();
  }, left.greaterThan(0));
  return sum.total;
}

/**
 * Subtracts the maximum from a line that is filled up with −∞, so that nothing overflows. Leaves the
 * differences in the line, or their exponentials.
 *
 * @returns Σ eˣ − 1 of the differences: the maximum's own term is 1, and the others may be small next to it
 */
export function shiftAndSum(
  f: FunctionBuilder,
  line: I32,
  count: I32,
  leaves: 'differences' | 'exponentials',
): Local<F32> {
  const max = f.floats(splat(Number.NEGATIVE_INFINITY));
  forLines(f, count, [line], ([at]) => max.set(max.max(f.load(at))));
  const quad = f.f32x4(max.vectors.reduce((a, b) => a.max(b)));
  const [a, b, c, d] = [0, 1, 2, 3].map((lane) => quad.lane(lane));
  quad.set(splat(f.f32(a.max(b).max(c.max(d)))));
  const vector = f.f32x8();
  const sum = sumOverLines(f, count, [line], ([at]) => {
    vector.set(loadFloats(at, 0, 8).minus(quad));
    if (leaves === 'differences') f.store(at, vector);
    exponential(f, vector);
    if (leaves === 'exponentials') f.store(at, vector);
    return vector;
  });
  return f.f32(sum.minus(1).toF32());
}

/**
 * ln(1 + x) in all lanes: ln w + (x − (w − 1)) / w with w = 1 + x as it is rounded, of which the second
 * term is what rounding took from x.
 */
export function logarithmOfOneAnd(f: FunctionBuilder, x: Local<F32>): Local<Floats> {
  const rounded = f.f32(x.plus(1));
  const lost = f.f32(x.minus(rounded.minus(1)).dividedBy(rounded));
  const vector = f.f32x4(splat(rounded));
  logarithm(f, vector);
  vector.set(vector.plus(splat(lost)));
  return vector;
}

/** Replaces a line by its softmax. */
export function softmaxOfLine(f: FunctionBuilder, line: I32, count: I32): void {
  const sum = f.f32x4(splat(shiftAndSum(f, line, count, 'exponentials').plus(1)));
  forLines(f, count, [line], ([at]) => f.store(at, f.load(at).dividedBy(sum)));
}

/** Lines of one part. */
export const perPart = (length: number): number => Math.max(1, Math.floor(PART_ELEMENTS / length));

/** Lines along `axis` that do not fit into the memory of a thread. */
export const TOO_LONG = {
  calls: `lines of more than ${MOST_ELEMENTS} elements`,
  include: (x: NdArray, axis: number): boolean => x.shape[axis] > MOST_ELEMENTS,
};
