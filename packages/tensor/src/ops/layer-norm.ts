import type { Tensor } from '../autograd/tensor.ts';
import { expectInteger, expectThat, normalizeAxis, readOptions } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import { elementCount, formatShape, type Shape, sameShape } from '../core/shape.ts';
import { add, mul } from './arithmetic.ts';
import { normalizeRows } from './normalize-rows.ts';
import { asTensor, dtypeOf, expectSameFloating, type TensorLike } from './operands.ts';
import { reshape } from './reshape.ts';

/** Normalizations of each sample by itself. */

/** What is added to a variance or a mean square. */
export interface EpsilonOption {
  /** 1e-5 by default. */
  readonly epsilon?: number;
}

/** Over which axes a norm runs. */
export interface LayerNormOptions extends EpsilonOption {
  /** The first axis of those that are normalized together, which are the last ones; −1 by default. */
  readonly axis?: number;
}

function expectEpsilon(op: string, epsilon: number): void {
  const isRight = Number.isFinite(epsilon) && epsilon >= 0;
  expectThat(isRight, op, 'epsilon', 'a finite number ≥ 0', epsilon);
}

/** A factor or a summand of a norm, whose shape must be `shape`; null for none. */
function parameter(
  op: string,
  name: string,
  value: TensorLike | null,
  x: Tensor,
  shape: Shape,
): Tensor | null {
  if (value === null) return null;
  const given = asTensor(op, name, value, x.dtype);
  expectSameFloating(op, { x, [name]: given });
  if (!sameShape(given.shape, shape)) {
    throw shapeError(op, `${name} must have shape ${formatShape(shape)}`, { x, [name]: given });
  }
  return given;
}

function lastAxes(
  op: string,
  x: Tensor,
  options: LayerNormOptions,
): { shape: Shape; epsilon: number } {
  const { axis = -1, epsilon = 1e-5 } = readOptions(op, options, ['axis', 'epsilon']);
  expectEpsilon(op, epsilon);
  const first = normalizeAxis(op, axis, x.shape);
  return { shape: x.shape.slice(first), epsilon };
}

/**
 * y = (x − mean) / √(variance + ε) · weight + bias, with mean and (biased) variance over the last axes.
 *
 * @param x `[..., D…]`
 * @param weight of the shape `[D…]` of the normalized axes, or null
 * @param bias as weight
 * @throws ShapeError for another shape of weight or bias; ValueError for an axis that does not exist or a
 *   negative epsilon; DTypeError unless all are float32 or all float64
 * @see Ba et al., arXiv:1607.06450; torch.nn.functional.layer_norm, ONNX LayerNormalization
 */
export function layerNorm(
  x: TensorLike,
  weight: TensorLike | null = null,
  bias: TensorLike | null = null,
  options: LayerNormOptions = {},
): Tensor {
  const input = asTensor('layerNorm', 'x', x, dtypeOf(weight));
  expectSameFloating('layerNorm', { x: input });
  const { shape, epsilon } = lastAxes('layerNorm', input, options);
  return normalizeRows(
    input,
    parameter('layerNorm', 'weight', weight, input, shape),
    parameter('layerNorm', 'bias', bias, input, shape),
    { length: elementCount(shape), epsilon, isCentred: true },
  );
}

/**
 * y = x / √(mean(x²) + ε) · weight, with the mean over the last axes.
 *
 * @param x `[..., D…]`
 * @param weight of the shape `[D…]` of the normalized axes, or null
 * @throws as `layerNorm`
 * @see Zhang & Sennrich, arXiv:1910.07467
 */
export function rmsNorm(
  x: TensorLike,
  weight: TensorLike | null = null,
  options: LayerNormOptions = {},
): Tensor {
  const input = asTensor('rmsNorm', 'x', x, dtypeOf(weight));
  expectSameFloating('rmsNorm', { x: input });
  const { shape, epsilon } = lastAxes('rmsNorm', input, options);
  const given = parameter('rmsNorm', 'weight', weight, input, shape);
  const length = elementCount(shape);
  return normalizeRows(input, given, null, { length, epsilon, isCentred: false });
}

function channelNorm(
  op: string,
  x: TensorLike,
  groups: number | null,
  weight: TensorLike | null,
  bias: TensorLike | null,
  options: EpsilonOption,
): Tensor {
  const { epsilon = 1e-5 } = readOptions(op, options, ['epsilon']);
  expectEpsilon(op, epsilon);
  const input = asTensor(op, 'x', x, dtypeOf(weight));
  expectSameFloating(op, { x: input });
  if (input.rank < 2) throw shapeError(op, 'needs at least two axes [N, C, ...]', { x: input });
  const [, C, ...rest] = input.shape;
  const count = groups ?? C;
  if (groups !== null) {
    expectInteger(op, 'groups', groups, 1);
    if (C % groups !== 0) {
      throw shapeError(op, `${groups} groups do not divide ${C} channels`, { x: input });
    }
  }
  const length = count === 0 ? 0 : (C / count) * elementCount(rest);
  const y = normalizeRows(input, null, null, { length, epsilon, isCentred: true });
  const spread = (name: string, value: TensorLike | null): Tensor | null => {
    const given = parameter(op, name, value, input, [C]);
    return given === null ? null : reshape(given, [C, ...rest.map(() => 1)]);
  };
  const factor = spread('weight', weight);
  const summand = spread('bias', bias);
  const scaled = factor === null ? y : mul(y, factor);
  return summand === null ? scaled : add(scaled, summand);
}

/**
 * y = (x − mean) / √(variance + ε) · weight + bias, with mean and (biased) variance over the channels of a
 * group and all pixels of one sample.
 *
 * @param x `[N, C, ...]`
 * @param groups of neighbouring channels; must divide C
 * @param weight `[C]` or null
 * @param bias `[C]` or null
 * @throws ShapeError for another shape of weight or bias, or groups that do not divide the channels;
 *   ValueError for a negative epsilon; DTypeError unless all are float32 or all float64
 * @see Wu & He, arXiv:1803.08494; torch.nn.functional.group_norm
 */
export function groupNorm(
  x: TensorLike,
  groups: number,
  weight: TensorLike | null = null,
  bias: TensorLike | null = null,
  options: EpsilonOption = {},
): Tensor {
  return channelNorm('groupNorm', x, groups, weight, bias, options);
}

/**
 * y = (x − mean) / √(variance + ε) · weight + bias, with mean and (biased) variance over all pixels of one
 * channel of one sample.
 *
 * @param x `[N, C, ...]`
 * @param weight `[C]` or null
 * @param bias `[C]` or null
 * @throws as `groupNorm`
 * @see Ulyanov et al., arXiv:1607.08022; torch.nn.functional.instance_norm
 */
export function instanceNorm(
  x: TensorLike,
  weight: TensorLike | null = null,
  bias: TensorLike | null = null,
  options: EpsilonOption = {},
): Tensor {
  return channelNorm('instanceNorm', x, null, weight, bias, options);
}
