import type { NdArray } from '../../../../core/ndarray.ts';
import { defineFunction, type FunctionBuilder, type Local } from '../../assembler/function.ts';
import { loadF32x4, loadFloats } from '../../assembler/loads.ts';
import { type F32, type I32, loadF32 } from '../../assembler/scalars.ts';
import { type Floats, sideBySide, splat } from '../../assembler/vectors.ts';
import { SCRATCH_BYTES } from '../../runtime.ts';
import { exponential, logarithm } from '../elementwise/functions.ts';
import { LongSum } from '../long-sum.ts';
import { forVectorsBetween } from '../rows.ts';

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
  { source: 'i32', stride: 'i32', count: 'i32', target: 'i32', filler: 'f32' },
  (f, { source, stride, count, target, filler }) => {
    f.for(0, count, 1, () => {
      f.store(target, loadF32(source));
      source.set(source.plus(stride));
      target.set(target.plus(4));
    });
    f.store(target, sideBySide([splat(filler), splat(filler)]));
  },
);

export const scatterLine = defineFunction(
  'scatterLine',
  { source: 'i32', stride: 'i32', count: 'i32', target: 'i32' },
  (f, { source, stride, count, target }) => {
    f.for(0, count, 1, () => {
      f.store(target, loadF32(source));
      target.set(target.plus(stride));
      source.set(source.plus(4));
    });
  },
);

/** Runs `body` for each whole vector of a line at `line`. */
export function forLine(f: FunctionBuilder, count: I32, body: (offset: I32) => void): void {
  f.for(0, count.times(4), 16, body);
}

/** Adds what `body` gives for every eight elements of a line to `sum`. */
export function sumOfLine(
  f: FunctionBuilder,
  count: I32,
  sum: LongSum,
  body: (offset: I32) => Floats,
): void {
  const offset = f.i32(0);
  const end = f.i32(count.plus(7).and(-8).times(4));
  forVectorsBetween(
    f,
    offset,
    end,
    () => sum.collect(body(offset)),
    () => sum.flush(),
  );
}

/**
 * Subtracts the maximum from a line that is filled up with −∞, so that nothing overflows.
 *
 * @returns Σ eˣ − 1 of what is left: the maximum's own term is 1, beside which the others may be small
 */
export function shiftAndSum(f: FunctionBuilder, line: I32, count: I32): Local<F32> {
  const vector = f.f32x8();
  const sum = new LongSum(f);
  const max = f.f32x4(splat(Number.NEGATIVE_INFINITY));
  forLine(f, count, (offset) => {
    max.set(max.max(loadF32x4(line.plus(offset))));
  });
  const [a, b, c, d] = [0, 1, 2, 3].map((lane) => max.lane(lane));
  max.set(splat(f.f32(a.max(b).max(c.max(d)))));
  sumOfLine(f, count, sum, (offset) => {
    const at = f.i32(line.plus(offset));
    vector.set(loadFloats(at, 0, 8).minus(max));
    f.store(at, vector);
    exponential(f, vector);
    return vector;
  });
  return f.f32(sum.total.minus(1).toF32());
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
  const sum = f.f32x4(splat(shiftAndSum(f, line, count).plus(1)));
  const vector = f.f32x4();
  forLine(f, count, (offset) => {
    vector.set(loadF32x4(line.plus(offset)));
    exponential(f, vector);
    f.store(line.plus(offset), vector.dividedBy(sum));
  });
}

/** Lines of one part. */
export const perPart = (length: number): number => Math.max(1, Math.floor(PART_ELEMENTS / length));

/** Lines along `axis` that do not fit into the memory of a thread. */
export const TOO_LONG = {
  calls: `lines of more than ${MOST_ELEMENTS} elements`,
  include: (x: NdArray, axis: number): boolean => x.shape[axis] > MOST_ELEMENTS,
};
