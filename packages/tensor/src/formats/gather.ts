import type { TypedArray } from '../core/dtype.ts';
import { elementCount, type Shape } from '../core/shape.ts';

/** Which elements of a storage a tensor has, and in which order, as PyTorch and NumPy keep it. */
export interface StridedLayout {
  readonly shape: Shape;
  /** How far neighbours along each axis lie apart, in elements; 0 where one stands for all. */
  readonly strides: readonly number[];
  /** Where the first element lies. */
  readonly offset: number;
}

/** How many elements a storage must have for a layout: one more than the last that it reads, or none. */
export function extentOf({ shape, strides, offset }: StridedLayout): number {
  if (elementCount(shape) === 0) return 0;
  return shape.reduce((last, length, axis) => last + (length - 1) * strides[axis], offset) + 1;
}

/** Fills `into` with the elements of a layout in row-major order. */
export function gather<Elements extends TypedArray>(
  storage: TypedArray,
  into: Elements,
  { shape, strides, offset }: StridedLayout,
): Elements {
  const rank = shape.length;
  if (rank === 0) {
    into[0] = storage[offset];
    return into;
  }
  const [rowLength, rowStride] = [shape[rank - 1], strides[rank - 1]];
  const index = new Array<number>(rank).fill(0);
  let start = offset;
  for (let at = 0; at < into.length; ) {
    for (let i = 0; i < rowLength; i++) into[at++] = storage[start + i * rowStride];
    // The next row: the last axis but one counts fastest.
    for (let axis = rank - 2; axis >= 0; axis--) {
      start += strides[axis];
      if (++index[axis] < shape[axis]) break;
      start -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return into;
}
