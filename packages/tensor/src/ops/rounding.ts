import type { Tensor } from '../autograd/tensor.ts';
import { roundHalfToEven } from '../backend/reference/functions.ts';
import { defineUnary } from './define-unary.ts';
import { asTensor, type TensorLike } from './operands.ts';
import { asNumeric } from './promotion.ts';

/** Functions whose gradient is 0 wherever they have one. */
function defineSteps(name: string, f: (x: number) => number): (x: TensorLike) => Tensor {
  const op = defineUnary(name, { from: 'input', f, gradient: () => 0, curvature: 'zero' });
  return (x) => op(asNumeric(asTensor(name, 'x', x)));
}

/** y = −1, 0 or 1, as x is negative, 0 or positive; NaN stays. The gradient is 0. */
export const sign = defineSteps('sign', Math.sign);

/** y = the largest whole number ≤ x. The gradient is 0. */
export const floor = defineSteps('floor', Math.floor);

/** y = the smallest whole number ≥ x. The gradient is 0. */
export const ceil = defineSteps('ceil', Math.ceil);

/** y = the whole number nearest to x, of two the even one. The gradient is 0. */
export const round = defineSteps('round', roundHalfToEven);
