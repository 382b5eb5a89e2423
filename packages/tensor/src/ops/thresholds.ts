import type { Tensor } from '../autograd/tensor.ts';
import { expectFinite, readOptions } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import { add, mul, sub } from './arithmetic.ts';
import { greater, greaterEqual, lessEqual } from './comparison.ts';
import { asTensor, dtypeOf, type TensorLike } from './operands.ts';
import { abs } from './pointwise.ts';
import { asFloating, floatingInput } from './promotion.ts';
import { reshape } from './reshape.ts';
import { where } from './where.ts';

/** Functions of each element with a threshold, made of other operations. */

function readThreshold<Name extends string>(
  op: string,
  options: { readonly [Key in Name]?: number },
  name: Name,
  byDefault: number,
): number {
  const value = readOptions(op, options, [name])[name] ?? byDefault;
  expectFinite(op, name, value);
  return value;
}

/**
 * y = 0 where |x| ≤ lambda, else x; NaN stays.
 *
 * @param options `lambda`: 0.5 by default
 * @throws ValueError unless it is finite
 */
export function hardShrink(x: TensorLike, options: { lambda?: number } = {}): Tensor {
  const lambda = readThreshold('hardShrink', options, 'lambda', 0.5);
  const input = floatingInput('hardShrink', x);
  return where(lessEqual(abs(input), lambda), 0, input);
}

/**
 * y = x brought towards 0 by lambda, and 0 where |x| ≤ lambda; NaN stays.
 *
 * @param options `lambda`: 0.5 by default
 * @throws ValueError unless it is finite
 */
export function softShrink(x: TensorLike, options: { lambda?: number } = {}): Tensor {
  const lambda = readThreshold('softShrink', options, 'lambda', 0.5);
  const input = floatingInput('softShrink', x);
  const below = where(greaterEqual(input, -lambda), 0, add(input, lambda));
  return where(greater(input, lambda), sub(input, lambda), below);
}

/**
 * y = 0 where x ≤ alpha, else x; NaN stays.
 *
 * @param options `alpha`: 1 by default
 * @throws ValueError unless it is finite
 */
export function thresholdedRelu(x: TensorLike, options: { alpha?: number } = {}): Tensor {
  const alpha = readThreshold('thresholdedRelu', options, 'alpha', 1);
  const input = floatingInput('thresholdedRelu', x);
  return where(lessEqual(input, alpha), 0, input);
}

/** Slopes in a shape that broadcasts to x. */
function slopesOver(x: Tensor, slopes: Tensor): Tensor {
  if (slopes.size === 1) return reshape(slopes, []);
  const fits = slopes.shape.every((length, i) => length === 1 || length === x.shape[i]);
  if (slopes.rank === x.rank && fits) return slopes;
  const channels = x.rank > 1 ? x.shape[1] : 1;
  if (slopes.rank !== 1 || slopes.size !== channels) {
    const rule = `weight must have one element, one for each of ${channels} channels, or broadcast to x`;
    throw shapeError('prelu', rule, { x, weight: slopes });
  }
  return reshape(
    slopes,
    x.shape.map((_, axis) => (axis === 1 ? channels : 1)),
  );
}

/**
 * y = x for x > 0, weight · x below, where the weight is trained.
 *
 * @param x `[N, C, ...]`
 * @param weight one number, one for each channel, `[C]`, or of the rank of x and broadcasting to it
 * @throws ShapeError for another shape of the weight
 * @see He et al., arXiv:1502.01852; torch.nn.functional.prelu
 */
export function prelu(x: TensorLike, weight: TensorLike): Tensor {
  const input = asFloating(asTensor('prelu', 'x', x, dtypeOf(weight)));
  const slopes = asTensor('prelu', 'weight', weight, input.dtype);
  const factor = slopesOver(input, slopes);
  const isPositive = greater(input, 0);
  // The weight meets no x above 0, not even with a gradient of 0: either may be infinite.
  return where(isPositive, input, mul(factor, where(isPositive, 0, input)));
}
