import { type Shape, ShapeError, ValueError } from '@firelight/tensor';
import { elementCount, formatShape } from '@firelight/tensor/extend';

/** Whether inputs or outputs of a layer decide the scale of its first weights. */
export type FanMode = 'fan_in' | 'fan_out';

/** Functions that a layer may be followed by, for the gain of its first weights. */
export type Nonlinearity = 'linear' | 'conv' | 'sigmoid' | 'tanh' | 'relu' | 'leaky_relu';

/**
 * Connections into and out of one unit: `[out, in, …]` gives fanIn = in · Π rest and
 * fanOut = out · Π rest.
 *
 * @throws ShapeError for fewer than two axes
 * @see mindspore/common/initializer.py, _calculate_fan_in_and_fan_out
 */
export function fansOf(shape: Shape): { fanIn: number; fanOut: number } {
  if (shape.length < 2) {
    throw new ShapeError(
      `initializer: fans need at least two axes [out, in, ...], got ${formatShape(shape)}`,
    );
  }
  const receptiveField = elementCount(shape.slice(2));
  return { fanIn: shape[1] * receptiveField, fanOut: shape[0] * receptiveField };
}

/** The fan that `mode` names. */
export function fanOf(shape: Shape, mode: FanMode): number {
  if (mode !== 'fan_in' && mode !== 'fan_out') {
    throw new ValueError(`initializer: mode must be 'fan_in' or 'fan_out', got '${mode}'`);
  }
  const { fanIn, fanOut } = fansOf(shape);
  return mode === 'fan_in' ? fanIn : fanOut;
}

/**
 * Factor that keeps the variance through a nonlinearity: linear, conv and sigmoid 1, tanh 5/3,
 * relu √2, leaky_relu √(2 / (1 + slope²)).
 *
 * @see mindspore/common/initializer.py, _calculate_gain
 */
export function gainOf(nonlinearity: Nonlinearity, negativeSlope: number): number {
  switch (nonlinearity) {
    case 'linear':
    case 'conv':
    case 'sigmoid':
      return 1;
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leaky_relu':
      return Math.sqrt(2 / (1 + negativeSlope ** 2));
    default:
      throw new ValueError(
        `initializer: nonlinearity must be linear, conv, sigmoid, tanh, relu or leaky_relu, ` +
          `got '${nonlinearity satisfies never}'`,
      );
  }
}
