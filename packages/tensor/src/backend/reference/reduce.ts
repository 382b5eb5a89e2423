import { isFloating, newTypedArray } from '../../core/dtype.ts';
import { NdArray } from '../../core/ndarray.ts';
import { elementCount, reducedShape, splitAtAxis, stridesOf } from '../../core/shape.ts';
import type { Kernels, ReduceOp } from '../contract.ts';
import { offsetsOf } from '../offsets.ts';

const START: Readonly<Record<ReduceOp, number>> = {
  sum: 0,
  mean: 0,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY,
};

function combine(op: ReduceOp, total: number, value: number): number {
  switch (op) {
    case 'sum':
    case 'mean':
      return total + value;
    case 'max':
      return Math.max(total, value);
    case 'min':
      return Math.min(total, value);
    default:
      return op satisfies never;
  }
}

export const reductions: Pick<Kernels, 'reduce' | 'argReduce'> = {
  reduce(op, x, axes) {
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
    const isInteger = !isFloating(x.dtype);
    const out = newTypedArray(x.dtype, elementCount(shape));
    for (let i = 0; i < out.length; i++) {
      let total = START[op];
      for (let j = 0; j < steps.length; j++) {
        total = combine(op, total, data[starts[i] + steps[j]]);
        // Sums of integers wrap, before they pass 2⁵³ and lose their lower bits.
        if (isInteger) total |= 0;
      }
      out[i] = op === 'mean' ? total / steps.length : total;
    }
    return NdArray.fromTypedArray(out, shape, x.dtype);
  },

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
