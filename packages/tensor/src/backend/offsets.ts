import { elementCount, type Shape } from '../core/shape.ts';

/**
 * Where each element of an array of `shape`, taken in row-major order, lies in a source that is
 * read with `strides` from `start`: `start + Σ index[axis] · strides[axis]`.
 */
export function offsetsOf(shape: Shape, strides: readonly number[], start = 0): Int32Array {
  const offsets = new Int32Array(elementCount(shape));
  const index = new Array<number>(shape.length).fill(0);
  let offset = start;
  for (let i = 0; i < offsets.length; i++) {
    offsets[i] = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += strides[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return offsets;
}
