import type { DType } from '../../../../core/dtype.ts';
import type { NdArray } from '../../../../core/ndarray.ts';
import { broadcastStrides, type Shape, splitAtAxis, stridesOf } from '../../../../core/shape.ts';
import type { Kernels, SliceRange } from '../../../contract.ts';
import { addressAfter } from '../../runtime/address.ts';
import { inFrame } from '../../runtime/frame.ts';
import { fill } from '../loops/flat-arrays.ts';
import { copyStrided } from './copy-strided.ts';

/** Where a slice begins in an array of `wholeShape`, in bytes, and its strides. */
function sliceView(
  wholeShape: Shape,
  { starts, steps }: SliceRange,
): { start: number; strides: number[] } {
  const strides = stridesOf(wholeShape);
  const start = strides.reduce((sum, stride, axis) => sum + stride * starts[axis], 0);
  return { start: start * 4, strides: strides.map((stride, axis) => stride * steps[axis]) };
}

/** An array of `shape` read from `x` with other strides. */
function gathered(x: NdArray, shape: Shape, strides: readonly number[], start = 0): NdArray {
  return inFrame((frame) => {
    const y = frame.output(shape, x.dtype);
    const source = { address: addressAfter(frame.input(x), start), strides };
    copyStrided(frame, shape, { source, target: { address: y.address } });
    return y.array;
  });
}

/** An array of `shape`, filled with `value`, into which `x` is written with other strides. */
function placed(
  x: NdArray,
  shape: Shape,
  { start, strides }: { start: number; strides: readonly number[] },
  value: number,
  dtype: DType,
): NdArray {
  return inFrame((frame) => {
    const y = frame.output(shape, dtype);
    fill(frame, y.address, y.array.size, value);
    const target = { address: addressAfter(y.address, start), strides };
    copyStrided(frame, x.shape, { source: { address: frame.input(x) }, target });
    return y.array;
  });
}

export const movement: Pick<Kernels, 'broadcastTo' | 'slice' | 'concat'> = {
  broadcastTo: (x, shape) => gathered(x, shape, broadcastStrides(x.shape, shape)),

  slice(x, range, shape) {
    const { start, strides } = sliceView(x.shape, range);
    return gathered(x, shape, strides, start);
  },

  concat: (inputs, axis) =>
    inFrame((frame) => {
      const [{ shape: first, dtype }] = inputs;
      const total = inputs.reduce((sum, input) => sum + input.shape[axis], 0);
      const shape = first.map((length, i) => (i === axis ? total : length));
      const y = frame.output(shape, dtype);
      const [, , after] = splitAtAxis(shape, axis);
      const strides = stridesOf(shape);
      let start = 0;
      for (const input of inputs) {
        const target = { address: addressAfter(y.address, start), strides };
        copyStrided(frame, input.shape, { source: { address: frame.input(input) }, target });
        start += input.shape[axis] * after * 4;
      }
      return y.array;
    }),
};

export const permutation: Pick<Kernels, 'permute'> = {
  permute(x, axes) {
    const strides = stridesOf(x.shape);
    const shape = axes.map((axis) => x.shape[axis]);
    return gathered(
      x,
      shape,
      axes.map((axis) => strides[axis]),
    );
  },
};

export const placement: Pick<Kernels, 'sliceGrad' | 'pad'> = {
  sliceGrad: (gradOut, range, inputShape) =>
    placed(gradOut, inputShape, sliceView(inputShape, range), 0, gradOut.dtype),

  pad(x, before, shape, value) {
    const steps = before.map(() => 1);
    return placed(x, shape, sliceView(shape, { starts: before, steps }), value, x.dtype);
  },
};
