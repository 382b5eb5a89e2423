import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { linearAlgebra } from '../backend/kernels.ts';
import { expectBoolean, expectFinite, readOptions } from '../core/checks.ts';
import { isFloating } from '../core/dtype.ts';
import { shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { broadcastShapes } from '../core/shape.ts';
import { add, mul } from './arithmetic.ts';
import { cast } from './cast.ts';
import { asTensor, dtypeOf, expectSameFloating, sumToShape, type TensorLike } from './operands.ts';
import { reshape } from './reshape.ts';

/** Which operand is transposed first: its last two axes are swapped, without a copy. */
interface Transposed {
  readonly a: boolean;
  readonly b: boolean;
}

const matmulOp = defineOp<
  [NdArray, NdArray],
  Transposed,
  { a: NdArray; b: NdArray; transposed: Transposed }
>('matmul', {
  forward: ([a, b], transposed) => ({
    y: linearAlgebra().matmul(a, b, transposed),
    saved: { a, b, transposed },
  }),
  // ga = g · bᵀ, gb = aᵀ · g; of a transposed operand the same, transposed.
  backward: (gradOut, { a, b, transposed }, [needsA, needsB]) => {
    const byA = (): NdArray =>
      transposed.a
        ? linearAlgebra().matmul(b, gradOut, { a: transposed.b, b: true })
        : linearAlgebra().matmul(gradOut, b, { a: false, b: !transposed.b });
    const byB = (): NdArray =>
      transposed.b
        ? linearAlgebra().matmul(gradOut, a, { a: true, b: transposed.a })
        : linearAlgebra().matmul(a, gradOut, { a: !transposed.a, b: false });
    return [needsA ? sumToShape(byA(), a.shape) : null, needsB ? sumToShape(byB(), b.shape) : null];
  },
});

/** Which operand of a product is transposed first, at no cost: its last two axes are swapped. */
export interface MatmulOptions {
  /** False by default. */
  readonly transposeA?: boolean;
  /** False by default. */
  readonly transposeB?: boolean;
}

const MATMUL_OPTIONS = ['transposeA', 'transposeB'] as const;

function readTransposed<Options extends MatmulOptions>(
  op: string,
  options: Options,
  known: readonly (keyof Options & string)[],
): Transposed {
  const { transposeA = false, transposeB = false } = readOptions(op, options, known);
  expectBoolean(op, 'transposeA', transposeA);
  expectBoolean(op, 'transposeB', transposeB);
  return { a: transposeA, b: transposeB };
}

/** Both operands in one floating dtype, or integers as int32, which holds their products best. */
function matrices(op: string, a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  const operands = {
    a: asTensor(op, 'a', a, dtypeOf(b)),
    b: asTensor(op, 'b', b, dtypeOf(a)),
  };
  const isInteger = !isFloating(operands.a.dtype) && !isFloating(operands.b.dtype);
  if (isInteger) return [cast(operands.a, 'int32'), cast(operands.b, 'int32')];
  expectSameFloating(op, operands);
  return [operands.a, operands.b];
}

/** The product, for the operation that messages name. */
function productOf(op: string, a: TensorLike, b: TensorLike, transposed: Transposed): Tensor {
  const [left, right] = matrices(op, a, b);
  const operands = { a: left, b: right };
  if (left.rank === 0 || right.rank === 0) {
    throw shapeError(op, 'needs vectors or matrices; multiply by a scalar with mul', operands);
  }
  const matrixA = left.rank === 1 ? reshape(left, [1, left.shape[0]]) : left;
  const matrixB = right.rank === 1 ? reshape(right, [right.shape[0], 1]) : right;
  // Vectors have nothing to transpose.
  const turned = { a: transposed.a && left.rank > 1, b: transposed.b && right.rank > 1 };
  const innerA = matrixA.shape[matrixA.rank - (turned.a ? 2 : 1)];
  const innerB = matrixB.shape[matrixB.rank - (turned.b ? 1 : 2)];
  if (innerA !== innerB) {
    throw shapeError(
      op,
      `inner lengths differ: a has ${innerA} columns, b ${innerB} rows`,
      operands,
    );
  }
  if (broadcastShapes(matrixA.shape.slice(0, -2), matrixB.shape.slice(0, -2)) === null) {
    throw shapeError(op, 'leading (batch) axes do not broadcast', operands);
  }
  const product = matmulOp([matrixA, matrixB], turned);
  const batch = product.shape.slice(0, -2);
  const rows = left.rank === 1 ? [] : product.shape.slice(-2, -1);
  const columns = right.rank === 1 ? [] : product.shape.slice(-1);
  if (left.rank > 1 && right.rank > 1) return product;
  return reshape(product, [...batch, ...rows, ...columns]);
}

/**
 * Matrix product y[…, m, n] = Σ_k a[…, m, k] · b[…, k, n].
 *
 * @param a `[..., M, K]`, or a vector `[K]`
 * @param b `[..., K, N]`, or a vector `[K]`
 * @param options `transposeA`, `transposeB`: take `[..., K, M]` for a, `[..., N, K]` for b
 * @returns `[..., M, N]`; leading axes broadcast, and the axis of a vector is left out
 *   Integers and booleans give int32, which wraps modulo 2³².
 * @throws ShapeError if the inner lengths differ, or the leading axes do not broadcast; DTypeError
 *   unless both are float32, both float64, or both integers
 */
export function matmul(a: TensorLike, b: TensorLike, options: MatmulOptions = {}): Tensor {
  return productOf('matmul', a, b, readTransposed('matmul', options, MATMUL_OPTIONS));
}

/** How `addmm` weighs its parts. */
export interface AddmmOptions extends MatmulOptions {
  /** Factor of the product; 1 by default. */
  readonly alpha?: number;
  /** Factor of what is added; 1 by default. */
  readonly beta?: number;
}

/**
 * y = beta · c + alpha · a · b.
 *
 * @param c broadcasts to the product, such as a bias `[N]`
 * @param a `[..., M, K]`, or transposed by `transposeA`
 * @param b `[..., K, N]`, or transposed by `transposeB`
 * @throws as `matmul`; ShapeError if c does not broadcast; ValueError unless factors are finite
 * @see torch.addmm, ONNX Gemm
 */
export function addmm(
  c: TensorLike,
  a: TensorLike,
  b: TensorLike,
  options: AddmmOptions = {},
): Tensor {
  const known = [...MATMUL_OPTIONS, 'alpha', 'beta'] as const;
  const transposed = readTransposed('addmm', options, known);
  const { alpha = 1, beta = 1 } = options;
  expectFinite('addmm', 'alpha', alpha);
  expectFinite('addmm', 'beta', beta);
  const product = productOf('addmm', a, b, transposed);
  const term = asTensor('addmm', 'c', c, product.dtype);
  if (broadcastShapes(term.shape, product.shape) === null) {
    throw shapeError('addmm', 'c does not broadcast with the product', { c: term, product });
  }
  const scaled = (x: Tensor, factor: number): Tensor => (factor === 1 ? x : mul(x, factor));
  return add(scaled(term, beta), scaled(product, alpha));
}
