import { isFloating, newTypedArray } from '../../core/dtype.ts';
import { NdArray } from '../../core/ndarray.ts';
import { broadcastShapes, broadcastStrides, elementCount } from '../../core/shape.ts';
import type { Kernels } from '../contract.ts';
import { offsetsOf } from '../offsets.ts';

export const linearAlgebra: Pick<Kernels, 'matmul'> = {
  matmul(a, b, transposed) {
    const batchA = a.shape.slice(0, -2);
    const batchB = b.shape.slice(0, -2);
    const batch = broadcastShapes(batchA, batchB) as number[]; // The op checked that they broadcast.
    const [rowsA, columnsA] = a.shape.slice(-2);
    const [rowsB, columnsB] = b.shape.slice(-2);
    const M = transposed.a ? columnsA : rowsA;
    const K = transposed.a ? rowsA : columnsA;
    const N = transposed.b ? rowsB : columnsB;
    const [strideM, strideKA] = transposed.a ? [1, columnsA] : [columnsA, 1];
    const [strideKB, strideN] = transposed.b ? [1, columnsB] : [columnsB, 1];

    const startsA = offsetsOf(batch, broadcastStrides(batchA, batch));
    const startsB = offsetsOf(batch, broadcastStrides(batchB, batch));
    const [dataA, dataB] = [a.data, b.data];
    const isInteger = !isFloating(a.dtype);
    const out = newTypedArray(a.dtype, elementCount(batch) * M * N);
    for (let item = 0; item < startsA.length; item++) {
      const startA = startsA[item] * rowsA * columnsA;
      const startB = startsB[item] * rowsB * columnsB;
      for (let m = 0; m < M; m++) {
        for (let n = 0; n < N; n++) {
          let sum = 0;
          for (let k = 0; k < K; k++) {
            const [left, right] = [
              dataA[startA + m * strideM + k * strideKA],
              dataB[startB + k * strideKB + n * strideN],
            ];
            // Integers wrap, before they pass 2⁵³ and lose their lower bits.
            sum = isInteger ? (sum + Math.imul(left, right)) | 0 : sum + left * right;
          }
          out[(item * M + m) * N + n] = sum;
        }
      }
    }
    return NdArray.fromTypedArray(out, [...batch, M, N], a.dtype);
  },
};
