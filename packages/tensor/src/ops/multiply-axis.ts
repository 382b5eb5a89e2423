import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { defineKernel } from '../backend/define-kernel.ts';
import { multiplyAxisOnWasm } from '../backend/wasm/kernels/resizing/multiply-axis.ts';
import type { BandMatrix } from '../core/band-matrix.ts';
import { newTypedArray } from '../core/dtype.ts';
import { NdArray } from '../core/ndarray.ts';
import { splitAtAxis } from '../core/shape.ts';
import { composed, tensorOf } from './traced-array.ts';

/** A matrix, and the axis along which it multiplies each line. */
export interface AxisProduct {
  readonly axis: number;
  readonly matrix: BandMatrix;
}

const multiplyAxisKernel = defineKernel({
  reference(x: NdArray, axis: number, matrix: BandMatrix): NdArray {
    const [before, length, after] = splitAtAxis(x.shape, axis);
    const { rows, starts, firsts, weights } = matrix;
    const { data } = x;
    const out = newTypedArray(x.dtype, before * rows * after);
    let at = 0;
    for (let outer = 0; outer < before; outer++) {
      for (let row = 0; row < rows; row++) {
        const count = starts[row + 1] - starts[row];
        for (let inner = 0; inner < after; inner++) {
          const first = (outer * length + firsts[row]) * after + inner;
          // From −0, which changes no number that is added to it; but a sum of none is 0.
          let sum = count === 0 ? 0 : -0;
          for (let i = 0; i < count; i++) {
            const weight = weights[starts[row] + i];
            // What has no weight does not count, even if it is infinite.
            if (weight !== 0) sum += weight * data[first + i * after];
          }
          out[at++] = sum;
        }
      }
    }
    return NdArray.fromTypedArray(out, x.shape.with(axis, rows), x.dtype);
  },
  wasm: multiplyAxisOnWasm,
});

type MultiplyAxis = (inputs: readonly [Tensor], product: AxisProduct) => Tensor;

const multiplyAxisOp: MultiplyAxis = defineOp<[NdArray], AxisProduct, AxisProduct>('multiplyAxis', {
  forward: ([x], { axis, matrix }) => ({
    y: multiplyAxisKernel(x, axis, matrix),
    saved: { axis, matrix },
  }),
  backward: (gradOut, { axis, matrix }) => [
    composed(() => multiplyAxisOp([tensorOf(gradOut)], { axis, matrix: matrix.transposed })),
  ],
});

/** The product of a matrix and each line along an axis: only what has a weight is read. */
export function multiplyAxis(x: Tensor, product: AxisProduct): Tensor {
  return product.matrix.isIdentity ? x : multiplyAxisOp([x], product);
}
