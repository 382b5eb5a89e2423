import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { BinaryOp } from '../backend/contract.ts';
import {
  binaryFunctions,
  choice,
  comparisons,
  powers,
  unaryFunctions,
} from '../backend/kernels.ts';
import { isFloating } from '../core/dtype.ts';
import { ValueError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { broadcastTo } from './broadcast-to.ts';
import { stack } from './concat.ts';
import { scalar, sumToShape, type TensorLike } from './operands.ts';
import { asFloating, asNumeric, broadcastList, broadcastOperands } from './promotion.ts';
import { max, min } from './reduce.ts';

/** What every binary operation saves: its inputs and its output. */
interface Saved {
  readonly a: NdArray;
  readonly b: NdArray;
  readonly y: NdArray;
}

/** The gradient by one input, of the output's (broadcast) shape. */
type PartialGradient = (gradOut: NdArray, saved: Saved) => NdArray;

/* @__NO_SIDE_EFFECTS__ */
function defineBinary(name: string, compute: OfTwo, byA: PartialGradient, byB: PartialGradient) {
  const op = defineOp<[NdArray, NdArray], null, Saved>(name, {
    forward: ([a, b]) => {
      const y = compute(a, b);
      return { y, saved: { a, b, y } };
    },
    backward: (gradOut, saved, [needsA, needsB]) => [
      needsA ? sumToShape(byA(gradOut, saved), saved.a.shape) : null,
      needsB ? sumToShape(byB(gradOut, saved), saved.b.shape) : null,
    ],
  });
  return (a: TensorLike, b: TensorLike): Tensor => {
    const [left, right] = broadcastOperands(name, a, b);
    return op([asNumeric(left), asNumeric(right)], null);
  };
}

type TwoOrList =
  | readonly [tensors: readonly TensorLike[]]
  | readonly [a: TensorLike, b: TensorLike];

/** The operation of two operands, or of a list, whose tensors get one dtype and shape first. */
function combined(
  op: string,
  operands: TwoOrList,
  ofTwo: (a: TensorLike, b: TensorLike) => Tensor,
  ofList: (list: readonly Tensor[]) => Tensor,
): Tensor {
  // Counted, so that an undefined second operand is refused by name. A third is passed over:
  // arrays of tensors are reduced with these functions.
  if (operands.length !== 1) return ofTwo(operands[0], operands[1]);
  const { tensors, shape } = broadcastList(op, operands[0]);
  const list = tensors.map(asNumeric);
  if (list.length === 1) return list[0];
  if (list.length === 2) return ofTwo(list[0], list[1]);
  return ofList(list.map((x) => broadcastTo(x, shape)));
}

type OfTwo = (a: NdArray, b: NdArray) => NdArray;

/* @__NO_SIDE_EFFECTS__ */
function kernel(op: BinaryOp): OfTwo {
  return (a, b) => binaryFunctions().binary(op, a, b);
}

const multiply = kernel('mul');
const negate = (x: NdArray): NdArray => unaryFunctions().unary('neg', x, 0);

const addTwo = defineBinary(
  'add',
  kernel('add'),
  (gradOut) => gradOut,
  (gradOut) => gradOut,
);

/**
 * y = a + b, or Σ of a list, elementwise with broadcasting.
 *
 * @throws ShapeError if the shapes do not broadcast; ValueError for a list of nothing
 */
export function add(a: TensorLike, b: TensorLike): Tensor;
export function add(tensors: readonly TensorLike[]): Tensor;
export function add(...operands: TwoOrList): Tensor {
  return combined('add', operands, addTwo, (terms) => terms.reduce((total, x) => addTwo(total, x)));
}

/** y = a − b, elementwise with broadcasting. */
export const sub = defineBinary('sub', kernel('sub'), (gradOut) => gradOut, negate);

/** y = a · b, elementwise with broadcasting. */
export const mul = defineBinary(
  'mul',
  kernel('mul'),
  (gradOut, { b }) => multiply(gradOut, b),
  (gradOut, { a }) => multiply(gradOut, a),
);

const divide = defineBinary(
  'div',
  kernel('div'),
  (gradOut, { b }) => binaryFunctions().binary('div', gradOut, b),
  // ∂(a/b)/∂b = −y / b
  (gradOut, { b, y }) => negate(multiply(gradOut, binaryFunctions().binary('div', y, b))),
);

/** y = a / b, elementwise with broadcasting; integers divide as float32. */
export function div(a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = broadcastOperands('div', a, b);
  return divide(asFloating(x), asFloating(y));
}

/** `x`, but 0 wherever `condition` holds, which broadcasts to it. */
function zeroWhere(condition: NdArray, x: NdArray): NdArray {
  return choice().where(condition, scalar(0, x.dtype), x);
}

const isZero = (x: NdArray): NdArray => comparisons().compare('equal', x, scalar(0, x.dtype));

const raise: OfTwo = (a, b) => powers().power(a, b);

const power = defineBinary(
  'pow',
  raise,
  // b · a^(b−1); 0 for b = 0, where 0 · 0⁻¹ would give NaN at a = 0.
  (gradOut, { a, b }) => {
    const exponent = binaryFunctions().binary('sub', b, scalar(1, b.dtype));
    const slope = multiply(b, raise(a, exponent));
    return zeroWhere(isZero(b), multiply(gradOut, slope));
  },
  // y · ln a; 0 for a = 0 ≤ b, where y = 0 and ln a = −∞.
  (gradOut, { a, b, y }) => {
    const slope = multiply(y, unaryFunctions().unary('log', a, 0));
    const isPositive = comparisons().compare('greaterEqual', b, scalar(0, b.dtype));
    return multiply(
      gradOut,
      zeroWhere(choice().where(isZero(a), isPositive, scalar(0, 'bool')), slope),
    );
  },
);

/**
 * y = a^b, elementwise with broadcasting; by IEEE 754, 1^b and (±1)^±∞ are 1, and so is a⁰. The
 * gradient by a is 0 where b = 0, and that by b where a = 0 ≤ b.
 *
 * @throws ValueError for a negative exponent of integers, whose power is no integer
 */
export function pow(a: TensorLike, b: TensorLike): Tensor {
  const [base, exponent] = broadcastOperands('pow', a, b);
  if (!isFloating(exponent.dtype)) expectNoNegative(exponent);
  return power(base, exponent);
}

function expectNoNegative(exponent: Tensor): void {
  const negative = exponent.array.data.find((value) => value < 0);
  if (negative === undefined) return;
  throw new ValueError(
    `pow: integers have no integer power of ${negative}; cast the base to float32 first`,
  );
}

/**
 * Gradient of the larger or smaller of two: none to the one that loses the comparison, half to each
 * of equals, and all to both where there is no comparing, because one is NaN and so is the output.
 */
function shareOfChosen(
  loses: 'less' | 'greater',
  gradOut: NdArray,
  x: NdArray,
  other: NdArray,
): NdArray {
  const isTie = comparisons().compare('equal', x, other);
  const half = multiply(gradOut, scalar(0.5, gradOut.dtype));
  const shared = choice().where(isTie, half, gradOut);
  return zeroWhere(comparisons().compare(loses, x, other), shared);
}

const maximumOfTwo = defineBinary(
  'maximum',
  kernel('maximum'),
  (gradOut, { a, b }) => shareOfChosen('less', gradOut, a, b),
  (gradOut, { a, b }) => shareOfChosen('less', gradOut, b, a),
);

/**
 * y = max(a, b), or the largest of a list, elementwise with broadcasting; equal values share the gradient.
 *
 * @throws ShapeError if the shapes do not broadcast; ValueError for a list of nothing
 */
export function maximum(a: TensorLike, b: TensorLike): Tensor;
export function maximum(tensors: readonly TensorLike[]): Tensor;
export function maximum(...operands: TwoOrList): Tensor {
  return combined('maximum', operands, maximumOfTwo, (list) => max(stack(list), 0));
}

const minimumOfTwo = defineBinary(
  'minimum',
  kernel('minimum'),
  (gradOut, { a, b }) => shareOfChosen('greater', gradOut, a, b),
  (gradOut, { a, b }) => shareOfChosen('greater', gradOut, b, a),
);

/**
 * y = min(a, b), or the smallest of a list, elementwise with broadcasting; equal values share the gradient.
 *
 * @throws ShapeError if the shapes do not broadcast; ValueError for a list of nothing
 */
export function minimum(a: TensorLike, b: TensorLike): Tensor;
export function minimum(tensors: readonly TensorLike[]): Tensor;
export function minimum(...operands: TwoOrList): Tensor {
  return combined('minimum', operands, minimumOfTwo, (list) => min(stack(list), 0));
}
