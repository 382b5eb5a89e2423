import type { Tensor } from '../autograd/tensor.ts';
import { expectShape } from '../core/checks.ts';
import type { Shape } from '../core/shape.ts';
import { tensor } from './create.ts';
import { type InterpolateOptions, readInterpolation } from './interpolate-options.ts';
import { type AxisProduct, multiplyAxis } from './multiply-axis.ts';
import { asTensor, expectSameFloating, type TensorLike } from './operands.ts';
import { resizingMatrix } from './resizing.ts';
import { where } from './where.ts';

/**
 * The order with the least to compute: axes that shrink, from the outermost on, whose kernel is the
 * fastest, then those that grow, from the last on.
 */
function inOrder(products: readonly AxisProduct[]): AxisProduct[] {
  const sorted = products.toSorted((a, b) => a.axis - b.axis);
  const shrinks = ({ matrix }: AxisProduct): boolean => matrix.rows < matrix.columns;
  return [...sorted.filter(shrinks), ...sorted.filter((one) => !shrinks(one)).reverse()];
}

/** Whether the row of a matrix is empty, along an axis of a shape of as many axes as the tensor. */
function emptyRows({ axis, matrix }: AxisProduct, rank: number): Tensor | null {
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
  const y = inOrder(products).reduce(multiplyAxis, input);
  if (extrapolationValue === 0) return y;
  return products.reduce((image, product) => {
    const outside = emptyRows(product, input.rank);
    return outside === null ? image : where(outside, extrapolationValue, image);
  }, y);
}
