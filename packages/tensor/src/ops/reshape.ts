import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { expectIntegerList } from '../core/checks.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { elementCount, formatShape, type Shape } from '../core/shape.ts';
import { asAnyTensor, type TensorLike } from './operands.ts';

const reshapeOp = defineOp<[NdArray], { shape: Shape }, { inputShape: Shape }>('reshape', {
  forward: ([x], { shape }) => ({ y: x.withShape(shape), saved: { inputShape: x.shape } }),
  backward: (gradOut, { inputShape }) => [gradOut.withShape(inputShape)],
});

/** What stands for x where an operation runs along an axis: a scalar is a line of one element. */
export function asLines(x: Tensor): Tensor {
  return x.rank === 0 ? reshape(x, [1]) : x;
}

/**
 * The same elements in row-major order under another shape; memory is shared, nothing is copied.
 *
 * @param shape lengths with the same product; one may be −1 and is worked out
 * @throws ShapeError if the number of elements would change
 */
export function reshape(x: TensorLike, shape: Shape): Tensor {
  const input = asAnyTensor('reshape', 'x', x);
  expectIntegerList('reshape', 'shape', shape);
  const unknown = shape.filter((length) => length === -1).length;
  if (unknown > 1 || shape.some((length) => length < -1)) {
    throw new ValueError(
      `reshape: lengths must be integers ≥ 0, at most one of them −1, got ${formatShape(shape)}`,
    );
  }
  const known = elementCount(shape.filter((length) => length !== -1));
  const resolved = shape.map((length) => (length === -1 ? input.size / known : length));
  if (elementCount(resolved) !== input.size || !resolved.every(Number.isInteger)) {
    throw shapeError('reshape', `${input.size} elements do not fill shape ${formatShape(shape)}`, {
      input,
    });
  }
  return reshapeOp([input], { shape: resolved });
}
