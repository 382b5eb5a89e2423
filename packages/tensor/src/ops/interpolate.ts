import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { defineKernel } from '../backend/define-kernel.ts';
import { multiplyAxisOnWasm } from '../backend/wasm/kernels/resizing/multiply-axis.ts';
import type { BandMatrix } from '../core/band-matrix.ts';
import { expectShape } from '../core/checks.ts';
import { newTypedArray } from '../core/dtype.ts';
import { NdArray } from '../core/ndarray.ts';
import { type Shape, splitAtAxis } from '../core/shape.ts';
import { tensor } from './create.ts';
import { type InterpolateOptions, readInterpolation } from './interpolate-options.ts';
import { asTensor, expectSameFloating, type TensorLike } from './operands.ts';
import { resizingMatrix } from './resizing.ts';
import { composed, tensorOf } from './traced-array.ts';
import { where } from './where.ts';

interface Product {
  readonly axis: number;
  readonly matrix: BandMatrix;
}

const multiplyAxis = defineKernel({
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

type MultiplyAxis = (inputs: readonly [Tensor], product: Product) => Tensor;

/** The product of a matrix and each line along an axis. */
const multiplyAxisOp: MultiplyAxis = defineOp<[NdArray], Product, Product>('interpolate', {
  forward: ([x], { axis, matrix }) => ({
    y: multiplyAxis(x, axis, matrix),
    saved: { axis, matrix },
  }),
  backward: (gradOut, { axis, matrix }) => [
    composed(() => multiplyAxisOp([tensorOf(gradOut)], { axis, matrix: matrix.transposed })),
  ],
});

/**
 * The order with the least to compute: axes that shrink, from the outermost on, whose kernel is the
 * fastest, then those that grow, from the last on.
 */
function inOrder(products: readonly Product[]): Product[] {
  const sorted = products.toSorted((a, b) => a.axis - b.axis);
  const shrinks = ({ matrix }: Product): boolean => matrix.rows < matrix.columns;
  return [...sorted.filter(shrinks), ...sorted.filter((one) => !shrinks(one)).reverse()];
}

/** Whether the row of a matrix is empty, along an axis of a shape of as many axes as the tensor. */
function emptyRows({ axis, matrix }: Product, rank: number): Tensor | null {
  const isEmpty = Array.from(matrix.firsts, (_, i) => matrix.starts[i] === matrix.starts[i + 1]);
  if (!isEmpty.includes(true)) return null;
  return tensor(isEmpty, { shape: new Array<number>(rank).fill(1).with(axis, matrix.rows) });
}

/**
 * Images of another size, whose pixels are the nearest of the old ones or weighted sums of those
 * around: along each axis y_i = Σ_j w(j − p_i) · x_j at the position p_i that output i has in the input.
 * The defaults are those of PyTorch: for half-pixel coordinates p_i = (i + ½) / scale − ½, for
 * `'asymmetric'` ones, the default of `'nearest'`, p_i = i / scale.
 *
 * @param x `[N, C, d…]`, or of any shape if `axes` are given; of any dtype for `'nearest'`
 * @returns `[N, C, d'…]` with d' = `size`, or ⌊d · `scale`⌋
 * @throws ShapeError if x has too few axes, or nothing is left of one; ValueError for options out of
 *   range; DTypeError for integers, unless for `'nearest'`
 * @see torch.nn.functional.interpolate; ONNX Resize, whose modes of coordinates have the same names;
 *   Keys, Cubic convolution interpolation for digital image processing (1981)
 */
export function interpolate(x: TensorLike, options: InterpolateOptions): Tensor {
  const input = asTensor('interpolate', 'x', x);
  const { axes, resizings, extrapolationValue } = readInterpolation(input, options);
  if (resizings.some(({ mode }) => mode !== 'nearest')) {
    expectSameFloating('interpolate', { x: input });
  }
  const shape = axes.reduce<Shape>(
    (before, axis, i) => before.with(axis, resizings[i].outLength),
    input.shape,
  );
  expectShape('interpolate', shape);
  const products = axes.map((axis, i) => ({ axis, matrix: resizingMatrix(resizings[i]) }));
  const y = inOrder(products)
    .filter(({ matrix }) => !matrix.isIdentity)
    .reduce((image, product) => multiplyAxisOp([image], product), input);
  if (extrapolationValue === 0) return y;
  return products.reduce((image, product) => {
    const outside = emptyRows(product, input.rank);
    return outside === null ? image : where(outside, extrapolationValue, image);
  }, y);
}
