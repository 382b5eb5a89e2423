import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { defineKernel } from '../backend/define-kernel.ts';
import { rounded } from '../backend/reference/sums.ts';
import {
  type RowNormGradients,
  type RowNormOptions,
  rowNorm,
  rowNormGrad,
} from '../backend/wasm/kernels/row-norm/row-norm.ts';
import { newTypedArray } from '../core/dtype.ts';
import { NdArray } from '../core/ndarray.ts';
import { add, mul, sub } from './arithmetic.ts';
import { rsqrt } from './exponentials.ts';
import { mean, sum } from './reduce.ts';
import { reshape } from './reshape.ts';
import { square } from './square.ts';
import { composed, TracedArray, tensorOf } from './traced-array.ts';

/**
 * Rows, as many last elements of x as `length` says, that are normalized each by itself: what the norms
 * of samples are made of.
 */

const rowCount = (x: NdArray, length: number): number => (length === 0 ? 0 : x.size / length);

const forward = defineKernel({
  wasm: rowNorm,
  reference(x: NdArray, weight: NdArray | null, bias: NdArray | null, options: RowNormOptions) {
    const { length, epsilon, isCentred } = options;
    const rows = rowCount(x, length);
    const y = newTypedArray(x.dtype, x.size);
    const statistics = newTypedArray(x.dtype, rows * 2);
    for (let row = 0; row < rows; row++) {
      const values = x.data.subarray(row * length, (row + 1) * length);
      let total = 0;
      for (const value of values) total += value;
      const centre = isCentred ? total / length : 0;
      let squares = 0;
      for (const value of values) squares += (value - centre) ** 2;
      const inverse = 1 / Math.sqrt(squares / length + epsilon);
      statistics.set([centre, inverse], row * 2);
      for (let i = 0; i < length; i++) {
        const normalized = (values[i] - centre) * inverse;
        y[row * length + i] = normalized * (weight?.data[i] ?? 1) + (bias?.data[i] ?? 0);
      }
    }
    return {
      y: NdArray.fromTypedArray(y, x.shape, x.dtype),
      statistics: NdArray.fromTypedArray(statistics, [rows, 2], x.dtype),
    };
  },
});

const backward = defineKernel({
  wasm: rowNormGrad,
  reference(
    x: NdArray,
    weight: NdArray | null,
    gradOut: NdArray,
    statistics: NdArray,
    options: RowNormOptions,
  ): RowNormGradients {
    const { length, isCentred } = options;
    const gradIn = newTypedArray(x.dtype, x.size);
    const weightGrad = new Float64Array(length);
    const biasGrad = new Float64Array(length);
    for (let row = 0; row < rowCount(x, length); row++) {
      const [centre, inverse] = statistics.data.subarray(row * 2, row * 2 + 2);
      const first = row * length;
      const normalized = (i: number): number => (x.data[first + i] - centre) * inverse;
      const slope = (i: number): number => gradOut.data[first + i] * (weight?.data[i] ?? 1);
      let constant = 0;
      let linear = 0;
      for (let i = 0; i < length; i++) {
        constant += slope(i);
        linear += slope(i) * normalized(i);
        weightGrad[i] += gradOut.data[first + i] * normalized(i);
        biasGrad[i] += gradOut.data[first + i];
      }
      if (!isCentred) constant = 0;
      for (let i = 0; i < length; i++) {
        const common = (constant + normalized(i) * linear) / length;
        gradIn[first + i] = inverse * (slope(i) - common);
      }
    }
    return {
      x: NdArray.fromTypedArray(gradIn, x.shape, x.dtype),
      weight: rounded(weightGrad, [length], x.dtype),
      bias: rounded(biasGrad, [length], x.dtype),
    };
  },
});

interface Saved {
  readonly x: NdArray;
  readonly weight: NdArray | null;
  /** Null without a bias. */
  readonly biasShape: readonly number[] | null;
  readonly statistics: NdArray;
  readonly options: RowNormOptions;
}

/** The gradients out of operations, to be differentiated again. */
function composedGrads(
  gradOut: NdArray,
  { x, weight, biasShape, options }: Saved,
): (null | (() => Tensor))[] {
  const { length, epsilon, isCentred } = options;
  const rows = (of: NdArray): Tensor => reshape(tensorOf(of), [rowCount(x, length), length]);
  const meanOf = (y: Tensor): Tensor => mean(y, [1], { keepDims: true });
  const parts = () => {
    const given = rows(x);
    const centred = isCentred ? sub(given, meanOf(given)) : given;
    const inverse = rsqrt(add(meanOf(square(centred)), epsilon));
    return { inverse, normalized: mul(centred, inverse) };
  };
  const ofRows = (terms: Tensor, shape: readonly number[]): Tensor =>
    reshape(sum(terms, [0]), shape);
  const ofInput = (): Tensor => {
    const { inverse, normalized } = parts();
    const g = rows(gradOut);
    const slope = weight === null ? g : mul(g, reshape(tensorOf(weight), [length]));
    const linear = sub(slope, mul(normalized, meanOf(mul(slope, normalized))));
    return reshape(mul(isCentred ? sub(linear, meanOf(slope)) : linear, inverse), x.shape);
  };
  return [
    ofInput,
    weight && (() => ofRows(mul(rows(gradOut), parts().normalized), weight.shape)),
    biasShape && (() => ofRows(rows(gradOut), biasShape)),
  ];
}

const normalizeRowsOp = defineOp<[NdArray, NdArray | null, NdArray | null], RowNormOptions, Saved>(
  'normalizeRows',
  {
    forward([x, weight, bias], options) {
      const { y, statistics } = forward(x, weight, bias, options);
      return { y, saved: { x, weight, biasShape: bias?.shape ?? null, statistics, options } };
    },
    backward(gradOut, saved, needed) {
      const { x, weight, biasShape, statistics, options } = saved;
      if (statistics instanceof TracedArray) {
        // What forward worked out has no history, so it is worked out again.
        const grads = composedGrads(gradOut, saved);
        return grads.map((grad, i) => (needed[i] && grad !== null ? composed(grad) : null));
      }
      const hasParameters = weight !== null || needed[2];
      const grads = backward(x, weight, gradOut, statistics, { ...options, hasParameters });
      return [
        grads.x,
        needed[1] && weight !== null ? (grads.weight?.withShape(weight.shape) ?? null) : null,
        needed[2] && biasShape !== null ? (grads.bias?.withShape(biasShape) ?? null) : null,
      ];
    },
  },
);

/**
 * (x − mean) / √(variance + ε) · weight + bias of rows of `length` elements, or with the mean square and
 * without taking out the mean.
 *
 * @param weight of `length` elements in any shape, or null
 * @param bias as weight
 */
export function normalizeRows(
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  options: RowNormOptions,
): Tensor {
  return normalizeRowsOp([x, weight, bias], options);
}
