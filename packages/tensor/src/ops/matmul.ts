import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { broadcastShapes } from '../core/shape.ts';
import { expectSameFloating, sumToShape } from './operands.ts';
import { reshape } from './reshape.ts';

const matmulOp = defineOp<[NdArray, NdArray], null, { a: NdArray; b: NdArray }>('matmul', {
  forward: ([a, b]) => ({
    y: kernels().matmul(a, b, { a: false, b: false }),
    saved: { a, b },
  }),
  // ga = g · bᵀ, gb = aᵀ · g
  backward: (gradOut, { a, b }, [needsA, needsB]) => [
    needsA ? sumToShape(kernels().matmul(gradOut, b, { a: false, b: true }), a.shape) : null,
    needsB ? sumToShape(kernels().matmul(a, gradOut, { a: true, b: false }), b.shape) : null,
  ],
});

/**
 * Matrix product y[…, m, n] = Σ_k a[…, m, k] · b[…, k, n].
 *
 * @param a `[..., M, K]`, or a vector `[K]`
 * @param b `[..., K, N]`, or a vector `[K]`
 * @returns `[..., M, N]`; leading axes broadcast, and the axis of a vector is left out
 * @throws ShapeError if the inner lengths differ, or the leading axes do not broadcast
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  expectSameFloating('matmul', { a, b });
  if (a.rank === 0 || b.rank === 0) {
    throw shapeError('matmul', 'needs vectors or matrices; multiply by a scalar with mul', {
      a,
      b,
    });
  }
  const matrixA = a.rank === 1 ? reshape(a, [1, a.shape[0]]) : a;
  const matrixB = b.rank === 1 ? reshape(b, [b.shape[0], 1]) : b;
  const innerA = matrixA.shape[matrixA.rank - 1];
  const innerB = matrixB.shape[matrixB.rank - 2];
  if (innerA !== innerB) {
    throw shapeError('matmul', `inner lengths differ: a has ${innerA} columns, b ${innerB} rows`, {
      a,
      b,
    });
  }
  if (broadcastShapes(matrixA.shape.slice(0, -2), matrixB.shape.slice(0, -2)) === null) {
    throw shapeError('matmul', 'leading (batch) axes do not broadcast', { a, b });
  }
  const product = matmulOp([matrixA, matrixB], null);
  const batch = product.shape.slice(0, -2);
  const rows = a.rank === 1 ? [] : product.shape.slice(-2, -1);
  const columns = b.rank === 1 ? [] : product.shape.slice(-1);
  return a.rank > 1 && b.rank > 1 ? product : reshape(product, [...batch, ...rows, ...columns]);
}
