import type { NdArray } from '../../../../core/ndarray.ts';
import { defineFunction, type FunctionBuilder, type Local } from '../../assembler/function.ts';
import { type F32, type I32, loadF32 } from '../../assembler/scalars.ts';
import { type F32x4, loadF32x4, splat } from '../../assembler/vectors.ts';
import { SCRATCH_BYTES } from '../../runtime.ts';
import { exponential, logarithm } from '../elementwise/functions.ts';

/**
 * Softmax of lines along one axis. A line is first copied into the thread's memory, its elements side
 * by side and filled up to a whole vector with numbers that do not count, and worked on there.
 */

/** Longest line: four of them fit into the thread's memory. */
const MOST_ELEMENTS = SCRATCH_BYTES / 4 / 4 - 16;
/** Elements of one part. */
const PART_ELEMENTS = 4096;

/** Copies `count` elements that lie `stride` bytes apart, and fills up to whole vectors. */
export const gatherLine = defineFunction(
  'gatherLine',
  { source: 'i32', stride: 'i32', count: 'i32', target: 'i32', filler: 'f32' },
  (f, { source, stride, count, target, filler }) => {
    f.for(0, count, 1, () => {
      f.store(target, loadF32(source));
      source.set(source.plus(stride));
      target.set(target.plus(4));
    });
    f.store(target, splat(filler));
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

export function sumOfLanes(f: FunctionBuilder, vector: F32x4): Local<F32> {
  const kept = f.f32x4(vector);
  const [a, b, c, d] = [0, 1, 2, 3].map((lane) => kept.lane(lane));
  return f.f32(a.plus(b).plus(c.plus(d)));
}

/**
 * Subtracts the maximum from a line that is filled up with −∞, so that nothing overflows.
 *
 * @returns Σ eˣ of what is left
 */
export function shiftAndSum(f: FunctionBuilder, line: I32, count: I32): Local<F32> {
  const vector = f.f32x4();
  const sum = f.f32x4(splat(0));
  const max = f.f32x4(splat(Number.NEGATIVE_INFINITY));
  forLine(f, count, (offset) => {
    max.set(max.max(loadF32x4(line.plus(offset))));
  });
  const [a, b, c, d] = [0, 1, 2, 3].map((lane) => max.lane(lane));
  max.set(splat(f.f32(a.max(b).max(c.max(d)))));
  forLine(f, count, (offset) => {
    vector.set(loadF32x4(line.plus(offset)).minus(max));
    f.store(line.plus(offset), vector);
    exponential(f, vector);
    sum.set(sum.plus(vector));
  });
  return sumOfLanes(f, sum);
}

export function logarithmOf(f: FunctionBuilder, value: F32): F32x4 {
  const vector = f.f32x4(splat(value));
  logarithm(f, vector);
  return vector;
}

/** Replaces a line by its softmax. */
export function softmaxOfLine(f: FunctionBuilder, line: I32, count: I32): void {
  const sum = f.f32x4(splat(shiftAndSum(f, line, count)));
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
