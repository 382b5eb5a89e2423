import { isFloating, newTypedArray } from '../../core/dtype.ts';
import { NdArray } from '../../core/ndarray.ts';
import { elementCount, reducedShape, splitAtAxis, stridesOf } from '../../core/shape.ts';
import type { Kernels } from '../contract.ts';
import { offsetsOf } from '../offsets.ts';

/** Each result from `start` on, with all elements over `axes` combined into it one by one. */
function combined(
  x: NdArray,
  axes: readonly number[],
  start: number,
  combine: (total: number, value: number) => number,
  finish = (total: number, _count: number): number => total,
): NdArray {
  const strides = stridesOf(x.shape);
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const shape = reducedShape(x.shape, axes, { keepDims: false });
  const starts = offsetsOf(
    shape,
    kept.map((axis) => strides[axis]),
  );
  const steps = offsetsOf(
    axes.map((axis) => x.shape[axis]),
    axes.map((axis) => strides[axis]),
  );
  const data = x.data;
  const out = newTypedArray(x.dtype, elementCount(shape));
  for (let i = 0; i < out.length; i++) {
    let total = start;
    for (let j = 0; j < steps.length; j++) total = combine(total, data[starts[i] + steps[j]]);
    out[i] = finish(total, steps.length);
  }
  return NdArray.fromTypedArray(out, shape, x.dtype);
}

const add = (total: number, value: number): number => total + value;
/** Sums of integers wrap, before they pass 2⁵³ and lose their lower bits. */
const addIntegers = (total: number, value: number): number => (total + value) | 0;

export const reductions: Pick<Kernels, 'reduce'> = {
  reduce: (op, x, axes) =>
    combined(
      x,
      axes,
      0,
      isFloating(x.dtype) ? add : addIntegers,
      op === 'mean' ? (total, count) => total / count : undefined,
    ),
};

export const extrema: Pick<Kernels, 'extremum'> = {
  extremum: (op, x, axes) =>
    op === 'max'
      ? combined(x, axes, Number.NEGATIVE_INFINITY, Math.max)
      : combined(x, axes, Number.POSITIVE_INFINITY, Math.min),
};

export const argReductions: Pick<Kernels, 'argReduce'> = {
  argReduce(op, x, axis) {
    const [before, length, after] = splitAtAxis(x.shape, axis);
    const sign = op === 'argmax' ? 1 : -1;
    const data = x.data;
    const out = new Int32Array(before * after);
    for (let i = 0; i < before; i++) {
      for (let j = 0; j < after; j++) {
        let best = 0;
        for (let k = 1; k < length; k++) {
          const candidate = sign * data[(i * length + k) * after + j];
          const champion = sign * data[(i * length + best) * after + j];
          // The first NaN wins, as in NumPy.
          if (candidate > champion || (Number.isNaN(candidate) && !Number.isNaN(champion)))
            best = k;
        }
        out[i * after + j] = best;
      }
    }
    const shape = reducedShape(x.shape, [axis], { keepDims: false });
    return NdArray.fromTypedArray(out, shape, 'int32');
  },
};
