import type { Tensor } from '../autograd/tensor.ts';
import { isFloating, isStoredOnly, promote } from '../core/dtype.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import { broadcastShapes, type Shape } from '../core/shape.ts';
import { cast } from './cast.ts';
import { asTensor, asTensorList, dtypeOf, type TensorLike } from './operands.ts';

/** What dtype an operation computes in. */

const NO_BROADCASTING =
  'shapes do not broadcast: aligned at the last axis, lengths must be equal or 1';

/** Throws a `ShapeError` unless the shapes broadcast. */
export function expectBroadcasting(op: string, a: Tensor, b: Tensor): void {
  if (broadcastShapes(a.shape, b.shape) !== null) return;
  throw shapeError(op, NO_BROADCASTING, { a, b });
}

/**
 * The operands of an elementwise operation as tensors of one dtype (`promote`), checked to
 * broadcast. A maximum or minimum that has to be rounded to it is the right one rounded, since
 * rounding keeps the order.
 *
 * @param door for both
 */
export function broadcastOperands(
  op: string,
  a: TensorLike,
  b: TensorLike,
  door: typeof asTensor = asTensor,
): [Tensor, Tensor] {
  const left = door(op, 'a', a, dtypeOf(b));
  const right = door(op, 'b', b, dtypeOf(a));
  expectBroadcasting(op, left, right);
  const dtype = promote(left.dtype, right.dtype);
  return [cast(left, dtype), cast(right, dtype)];
}

/**
 * A list of operands as tensors of one dtype (`promote`), and the shape that they broadcast to.
 *
 * @throws ShapeError if they do not; ValueError for none
 */
export function broadcastList(
  op: string,
  operands: readonly TensorLike[],
): { readonly tensors: readonly Tensor[]; readonly shape: Shape } {
  const given = asTensorList(op, operands);
  if (given.length === 0) throw new ValueError(`${op}: needs at least one tensor`);
  const shape = given.reduce<Shape | null>(
    (common, x) => common && broadcastShapes(common, x.shape),
    [],
  );
  if (shape === null) {
    const named = given.map((x, i) => [`tensors[${i}]`, x] as const);
    throw shapeError(op, NO_BROADCASTING, Object.fromEntries(named));
  }
  const dtype = given.map((x) => x.dtype).reduce(promote);
  return { tensors: given.map((x) => cast(x, dtype)), shape };
}

/**
 * An operand of a comparison. A plain number is rounded to the floats that it is beside, so that
 * `equal(tensor([0.1]), 0.1)` holds; beside integers it is one of them if they hold it, else float64.
 */
function comparisonOperand(op: string, name: string, x: TensorLike, other: TensorLike): Tensor {
  const beside = dtypeOf(other);
  if (beside !== undefined && !isStoredOnly(beside)) {
    const alike = asTensor(op, name, x, beside);
    if (alike.dtype === beside) return alike;
  }
  return asTensor(op, name, x, 'float64');
}

/**
 * The operands of a comparison, checked to broadcast. They keep their dtypes, and kernels compare
 * them as the numbers that they are: no dtype of both would hold every int32 and every float32.
 */
export function comparisonOperands(op: string, a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  const left = comparisonOperand(op, 'a', a, b);
  const right = comparisonOperand(op, 'b', b, a);
  expectBroadcasting(op, left, right);
  return [left, right];
}

/** The tensor itself, or integers as float32 for operations whose result is a fraction. */
export function asFloating(x: Tensor): Tensor {
  return isFloating(x.dtype) ? x : cast(x, 'float32');
}

/** The operand `x` of an operation whose values are fractions: integers are taken as float32. */
export function floatingInput(op: string, x: TensorLike): Tensor {
  return asFloating(asTensor(op, 'x', x));
}

/** The tensor itself, or booleans as int32 for arithmetic, which they cannot hold the results of. */
export function asNumeric(x: Tensor): Tensor {
  return x.dtype === 'bool' ? cast(x, 'int32') : x;
}

/** The tensor itself, or integers as int32 for sums and products, which narrower ones cannot hold. */
export function asTerms(x: Tensor): Tensor {
  return isFloating(x.dtype) ? x : cast(x, 'int32');
}
