import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { isFloating } from '../core/dtype.ts';
import { shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { broadcastShapes } from '../core/shape.ts';
import { cast } from './cast.ts';
import { asTensor, dtypeOf, expectSameFloating, sumToShape, type TensorLike } from './operands.ts';
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

/** Both operands in one floating dtype, or integers as int32, which holds their products best. */
function matrices(a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  const operands = {
    a: asTensor('matmul', 'a', a, dtypeOf(b)),
    b: asTensor('matmul', 'b', b, dtypeOf(a)),
  };
  const isInteger = !isFloating(operands.a.dtype) && !isFloating(operands.b.dtype);
  if (isInteger) return [cast(operands.a, 'int32'), cast(operands.b, 'int32')];
  expectSameFloating('matmul', operands);
  return [operands.a, operands.b];
}

/**
 * Matrix product y[…, m, n] = Σ_k a[…, m, k] · b[…, k, n].
 *
 * @param a `[..., M, K]`, or a vector `[K]`
 * @param b `[..., K, N]`, or a vector `[K]`
 * @returns `[..., M, N]`; leading axes broadcast, and the axis of a vector is left out
 *   Integers and booleans give int32, which wraps modulo 2³².
 * @throws ShapeError if the inner lengths differ, or the leading axes do not broadcast; DTypeError
 *   unless both are float32, both float64, or both integers
 */
export function matmul(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = matrices(a, b);
  const operands = { a: left, b: right };
  if (left.rank === 0 || right.rank === 0) {
    throw shapeError(
      'matmul',
      'needs vectors or matrices; multiply by a scalar with mul',
      operands,
    );
  }
  const matrixA = left.rank === 1 ? reshape(left, [1, left.shape[0]]) : left;
  const matrixB = right.rank === 1 ? reshape(right, [right.shape[0], 1]) : right;
  const innerA = matrixA.shape[matrixA.rank - 1];
  const innerB = matrixB.shape[matrixB.rank - 2];
  if (innerA !== innerB) {
    throw shapeError(
      'matmul',
      `inner lengths differ: a has ${innerA} columns, b ${innerB} rows`,
      operands,
    );
  }
  if (broadcastShapes(matrixA.shape.slice(0, -2), matrixB.shape.slice(0, -2)) === null) {
    throw shapeError('matmul', 'leading (batch) axes do not broadcast', operands);
  }
  const product = matmulOp([matrixA, matrixB], null);
  const batch = product.shape.slice(0, -2);
  const rows = left.rank === 1 ? [] : product.shape.slice(-2, -1);
  const columns = right.rank === 1 ? [] : product.shape.slice(-1);
  if (left.rank > 1 && right.rank > 1) return product;
  return reshape(product, [...batch, ...rows, ...columns]);
}
