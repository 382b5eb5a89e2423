import type { Tensor } from '../autograd/tensor.ts';
import { cast } from './cast.ts';
import { equal, less, notEqual } from './comparison.ts';
import { asTensor, type TensorLike } from './operands.ts';
import { abs } from './pointwise.ts';
import { expectBroadcasting } from './promotion.ts';
import { where } from './where.ts';

/** Tests of single numbers and of truth, made of comparisons; their results are bool. */

/** Whether each element is NaN. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: as NumPy, PyTorch and TensorFlow.js call it
export function isNaN(x: TensorLike): Tensor {
  const input = asTensor('isNaN', 'x', x).detach();
  return notEqual(input, input);
}

/** Whether each element is +∞ or −∞. */
export function isInf(x: TensorLike): Tensor {
  return equal(abs(asTensor('isInf', 'x', x).detach()), Number.POSITIVE_INFINITY);
}

/** Whether each element is neither NaN nor infinite. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: as NumPy, PyTorch and TensorFlow.js call it
export function isFinite(x: TensorLike): Tensor {
  return less(abs(asTensor('isFinite', 'x', x).detach()), Number.POSITIVE_INFINITY);
}

/** Whether each element is true: not 0. */
const truth = (op: string, name: string, x: TensorLike): Tensor =>
  cast(asTensor(op, name, x), 'bool');

/** The truth of both operands, checked to broadcast. */
function truths(op: string, a: TensorLike, b: TensorLike): readonly [Tensor, Tensor] {
  const both = [truth(op, 'a', a), truth(op, 'b', b)] as const;
  expectBroadcasting(op, ...both);
  return both;
}

/**
 * Whether both are not 0, elementwise with broadcasting.
 *
 * @throws ShapeError if the shapes do not broadcast
 */
export function logicalAnd(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = truths('logicalAnd', a, b);
  return where(left, right, false);
}

/**
 * Whether either is not 0, elementwise with broadcasting.
 *
 * @throws ShapeError if the shapes do not broadcast
 */
export function logicalOr(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = truths('logicalOr', a, b);
  return where(left, true, right);
}

/**
 * Whether just one of both is not 0, elementwise with broadcasting.
 *
 * @throws ShapeError if the shapes do not broadcast
 */
export function logicalXor(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = truths('logicalXor', a, b);
  return notEqual(left, right);
}

/** Whether each element is 0. */
export function logicalNot(x: TensorLike): Tensor {
  return equal(truth('logicalNot', 'x', x), false);
}
