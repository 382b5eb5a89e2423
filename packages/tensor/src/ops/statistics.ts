import type { Tensor } from '../autograd/tensor.ts';
import { expectThat, readOptions } from '../core/checks.ts';
import { elementCount } from '../core/shape.ts';
import { add, div, pow, sub } from './arithmetic.ts';
import { cast } from './cast.ts';
import { equal, greater, notEqual } from './comparison.ts';
import { isFinite as areFinite } from './logic.ts';
import { asTensor, type TensorLike } from './operands.ts';
import { abs, exp, log, sqrt } from './pointwise.ts';
import { floatingInput } from './promotion.ts';
import {
  type AxisOption,
  expectElements,
  max,
  mean,
  min,
  type ReduceOptions,
  readReduction,
  sum,
} from './reduce.ts';
import { reshape } from './reshape.ts';
import { square } from './square.ts';
import { where } from './where.ts';

/** Reductions made of other operations. */

/** √x for x ≥ 0 whose gradient at 0 is 0 and not infinite, as of a length at the origin. */
function rootOfSum(x: Tensor): Tensor {
  const isZero = equal(x, 0);
  return where(isZero, x, sqrt(where(isZero, 1, x)));
}

/** x^p, but 0 for 0 with the gradient 0, where that of a root is infinite; NaN stays. */
function powerOfNonZero(x: Tensor, p: number): Tensor {
  if (p < 0) return pow(x, p);
  const isNonZero = notEqual(x, 0);
  return where(isNonZero, pow(where(isNonZero, x, 1), p), 0);
}

/**
 * (Σ |x|^p)^(1 / p) for a finite p ≠ 0, where `total` sums; its gradient at a sum of 0 is 0.
 */
export function rootOfPowers(x: Tensor, p: number, total: (powers: Tensor) => Tensor): Tensor {
  if (p === 1) return total(abs(x));
  if (p === 2) return rootOfSum(total(square(x)));
  return powerOfNonZero(total(powerOfNonZero(abs(x), p)), 1 / p);
}

/** How `variance` and `std` count. */
export interface VarianceOptions extends ReduceOptions {
  /** What is taken off the number of elements that squares are divided by; 1 by default. */
  readonly correction?: number;
}

function varianceOf(op: string, x: TensorLike, axis: AxisOption, options: VarianceOptions): Tensor {
  const { correction = 1, ...reduced } = readOptions(op, options, ['correction', 'keepDims']);
  expectThat(Number.isFinite(correction), op, 'correction', 'a finite number', correction);
  const input = floatingInput(op, x);
  const { axes, keepDims } = readReduction(op, input, axis, reduced);
  const count = elementCount(axes.map((i) => input.shape[i]));
  const squares = square(sub(input, mean(input, axes, { keepDims: true })));
  return div(sum(squares, axes, { keepDims }), Math.max(0, count - correction));
}

/**
 * y = Σ (x − mean)² / (n − correction) over the given axes. With n ≤ correction it
 * divides by 0.
 *
 * @param options `correction`: 1 by default (the unbiased estimate, as PyTorch), 0 for NumPy's default
 * @throws ValueError or ShapeError if an axis does not exist or is named twice
 */
export function variance(x: TensorLike, axis?: AxisOption, options: VarianceOptions = {}): Tensor {
  return varianceOf('variance', x, axis, options);
}

/**
 * The standard deviation, √variance over the given axes; where it is 0, its gradient is 0.
 *
 * @param options as of `variance`
 * @throws ValueError or ShapeError if an axis does not exist or is named twice
 */
export function std(x: TensorLike, axis?: AxisOption, options: VarianceOptions = {}): Tensor {
  return rootOfSum(varianceOf('std', x, axis, options));
}

/** Which norm, and over which axes. */
export interface NormOptions extends ReduceOptions {
  /** 2 by default; Infinity for the largest |x|, −Infinity for the smallest, 0 to count what is not 0. */
  readonly ord?: number;
  readonly axis?: AxisOption;
}

/** `norm` for the operation that messages name. */
export function lengthOf(
  op: string,
  x: TensorLike,
  { ord = 2, axis, ...given }: NormOptions,
): Tensor {
  expectThat(typeof ord === 'number' && !Number.isNaN(ord), op, 'ord', 'a number', ord);
  const input = floatingInput(op, x);
  const { axes, keepDims } = readReduction(op, input, axis, given);
  if (Math.abs(ord) === Number.POSITIVE_INFINITY) expectElements(op, input, axes);
  const reduced = { keepDims };
  switch (ord) {
    case 0:
      return cast(countNonZero(input, axes, reduced), input.dtype);
    case Number.POSITIVE_INFINITY:
      return max(abs(input), axes, reduced);
    case Number.NEGATIVE_INFINITY:
      return min(abs(input), axes, reduced);
    default:
      return rootOfPowers(input, ord, (powers) => sum(powers, axes, reduced));
  }
}

/**
 * The length of vectors: y = (Σ |x|^ord)^(1 / ord) over the given axes, of all elements by default. The
 * gradient of a length of 0 is 0.
 *
 * @throws ValueError unless `ord` is a number; ValueError or ShapeError if an axis does not exist, is
 *   named twice, or is empty where `ord` is infinite
 * @see torch.linalg.vector_norm
 */
export function norm(x: TensorLike, options: NormOptions = {}): Tensor {
  return lengthOf('norm', x, readOptions('norm', options, ['ord', 'axis', 'keepDims']));
}

/**
 * y = ln Σ e^x over the given axes, safe for large values; −Infinity for nothing.
 *
 * @throws ValueError or ShapeError if an axis does not exist or is named twice
 */
export function logSumExp(x: TensorLike, axis?: AxisOption, options: ReduceOptions = {}): Tensor {
  const input = floatingInput('logSumExp', x);
  const { axes, keepDims } = readReduction('logSumExp', input, axis, options);
  if (axes.some((i) => input.shape[i] === 0)) return log(sum(exp(input), axes, { keepDims }));
  const largest = max(input.detach(), axes, { keepDims: true });
  // An infinite one is not taken off, since ∞ − ∞ is no number.
  const offset = where(areFinite(largest), largest, 0);
  const rest = log(sum(exp(sub(input, offset)), axes, { keepDims: true }));
  const y = add(rest, offset);
  return keepDims
    ? y
    : reshape(
        y,
        y.shape.filter((_, i) => !axes.includes(i)),
      );
}

/** How many booleans are true, for the operation that messages name. */
function trueCount(op: string, x: Tensor, axis: AxisOption, options: ReduceOptions): Tensor {
  const { axes, keepDims } = readReduction(op, x, axis, options);
  return sum(x, axes, { keepDims });
}

/**
 * How many elements are not 0, over the given axes: int32.
 *
 * @throws ValueError or ShapeError if an axis does not exist or is named twice
 */
export function countNonZero(
  x: TensorLike,
  axis?: AxisOption,
  options: ReduceOptions = {},
): Tensor {
  return trueCount('countNonZero', cast(asTensor('countNonZero', 'x', x), 'bool'), axis, options);
}

/**
 * Whether any element is not 0, over the given axes: bool; false for nothing.
 *
 * @throws ValueError or ShapeError if an axis does not exist or is named twice
 */
export function any(x: TensorLike, axis?: AxisOption, options: ReduceOptions = {}): Tensor {
  return greater(trueCount('any', cast(asTensor('any', 'x', x), 'bool'), axis, options), 0);
}

/**
 * Whether no element is 0, over the given axes: bool; true for nothing.
 *
 * @throws ValueError or ShapeError if an axis does not exist or is named twice
 */
export function all(x: TensorLike, axis?: AxisOption, options: ReduceOptions = {}): Tensor {
  const isZero = equal(cast(asTensor('all', 'x', x), 'bool'), false);
  return equal(trueCount('all', isZero, axis, options), 0);
}
