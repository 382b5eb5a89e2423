import { newTypedArray } from '../../core/dtype.ts';
import { NdArray } from '../../core/ndarray.ts';
import {
  broadcastStrides,
  elementCount,
  type Shape,
  splitAtAxis,
  stridesOf,
} from '../../core/shape.ts';
import type { Kernels, SliceRange } from '../contract.ts';
import { offsetsOf } from '../offsets.ts';
import { rounded } from './sums.ts';

/** out[i] = x[offsets[i]]. */
function pick(x: NdArray, offsets: Int32Array, shape: Shape): NdArray {
  const data = x.data;
  const out = newTypedArray(x.dtype, offsets.length);
  for (let i = 0; i < out.length; i++) out[i] = data[offsets[i]];
  return NdArray.fromTypedArray(out, shape, x.dtype);
}

/** Offsets, in an array of `wholeShape`, of the elements that a slice of shape `shape` takes. */
function sliceOffsets(wholeShape: Shape, { starts, steps }: SliceRange, shape: Shape): Int32Array {
  const strides = stridesOf(wholeShape);
  const start = strides.reduce((sum, stride, axis) => sum + stride * starts[axis], 0);
  return offsetsOf(
    shape,
    strides.map((stride, axis) => stride * steps[axis]),
    start,
  );
}

export const movement: Pick<Kernels, 'broadcastTo' | 'slice' | 'concat'> = {
  broadcastTo: (x, shape) => pick(x, offsetsOf(shape, broadcastStrides(x.shape, shape)), shape),

  slice: (x, range, shape) => pick(x, sliceOffsets(x.shape, range, shape), shape),

  concat(inputs, axis) {
    const [first] = inputs;
    const total = inputs.reduce((sum, input) => sum + input.shape[axis], 0);
    const shape = first.shape.map((length, i) => (i === axis ? total : length));
    const out = newTypedArray(first.dtype, elementCount(shape));
    const [before, , after] = splitAtAxis(shape, axis);
    let start = 0;
    for (const input of inputs) {
      const run = input.shape[axis] * after;
      for (let i = 0; i < before; i++) {
        out.set(input.data.subarray(i * run, (i + 1) * run), i * total * after + start);
      }
      start += run;
    }
    return NdArray.fromTypedArray(out, shape, first.dtype);
  },
};

export const permutation: Pick<Kernels, 'permute'> = {
  permute(x, axes) {
    const strides = stridesOf(x.shape);
    const shape = axes.map((axis) => x.shape[axis]);
    return pick(
      x,
      offsetsOf(
        shape,
        axes.map((axis) => strides[axis]),
      ),
      shape,
    );
  },
};

export const placement: Pick<Kernels, 'sliceGrad' | 'pad'> = {
  sliceGrad(gradOut, range, inputShape) {
    const offsets = sliceOffsets(inputShape, range, gradOut.shape);
    const grad = gradOut.data;
    const out = newTypedArray(gradOut.dtype, elementCount(inputShape));
    for (let i = 0; i < grad.length; i++) out[offsets[i]] += grad[i];
    return NdArray.fromTypedArray(out, inputShape, gradOut.dtype);
  },

  pad(x, before, shape, value) {
    const steps = before.map(() => 1);
    const offsets = sliceOffsets(shape, { starts: before, steps }, x.shape);
    const data = x.data;
    const out = newTypedArray(x.dtype, elementCount(shape)).fill(value);
    for (let i = 0; i < data.length; i++) out[offsets[i]] = data[i];
    return NdArray.fromTypedArray(out, shape, x.dtype);
  },
};

export const gathering: Pick<Kernels, 'gather' | 'gatherGrad'> = {
  gather(x, indices, axis) {
    const [before, length, after] = splitAtAxis(x.shape, axis);
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    const [data, rows] = [x.data, indices.data];
    const out = newTypedArray(x.dtype, before * rows.length * after);
    for (let i = 0; i < before; i++) {
      for (let j = 0; j < rows.length; j++) {
        const from = (i * length + rows[j]) * after;
        out.set(data.subarray(from, from + after), (i * rows.length + j) * after);
      }
    }
    return NdArray.fromTypedArray(out, shape, x.dtype);
  },

  gatherGrad(gradOut, indices, axis, inputShape) {
    const [before, length, after] = splitAtAxis(inputShape, axis);
    const [grad, rows] = [gradOut.data, indices.data];
    const sums = new Float64Array(elementCount(inputShape));
    for (let i = 0; i < before; i++) {
      for (let j = 0; j < rows.length; j++) {
        const to = (i * length + rows[j]) * after;
        const from = (i * rows.length + j) * after;
        for (let k = 0; k < after; k++) sums[to + k] += grad[from + k];
      }
    }
    return rounded(sums, inputShape, gradOut.dtype);
  },
};
