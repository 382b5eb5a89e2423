import type { Tensor } from '../autograd/tensor.ts';
import { roundHalfToEven } from '../backend/reference/functions.ts';
import { roundedDown, roundedToEven, roundedUp } from '../backend/wasm/assembler/rounding.ts';
import { type Floats, splat } from '../backend/wasm/assembler/vectors.ts';
import { defineUnary } from './define-unary.ts';
import { asTensor, type TensorLike } from './operands.ts';
import { asNumeric } from './promotion.ts';

/** Functions whose gradient is 0 wherever they have one. */
/* @__NO_SIDE_EFFECTS__ */
function defineSteps(
  name: string,
  f: (x: number) => number,
  ofLanes: (x: Floats) => Floats,
): (x: TensorLike) => Tensor {
  const op = defineUnary(name, {
    from: 'input',
    f,
    gradient: () => 0,
    curvature: 'zero',
    lanes: {
      f: (_, x) => x.set(ofLanes(x)),
      gradient: (_, x) => x.set(splat(0)),
    },
  });
  return (x) => op(asNumeric(asTensor(name, 'x', x)));
}

/** Zeros of both signs and NaN are neither above 0 nor below. */
function signOfLanes(x: Floats): Floats {
  const negative = x.lessThan(splat(0)).select(splat(-1), x);
  return x.greaterThan(splat(0)).select(splat(1), negative);
}

/** y = −1, 0 or 1, as x is negative, 0 or positive; NaN stays. The gradient is 0. */
export const sign = defineSteps('sign', Math.sign, signOfLanes);

/** y = the largest whole number ≤ x. The gradient is 0. */
export const floor = defineSteps('floor', Math.floor, roundedDown);

/** y = the smallest whole number ≥ x. The gradient is 0. */
export const ceil = defineSteps('ceil', Math.ceil, roundedUp);

/** y = the whole number nearest to x, of two the even one. The gradient is 0. */
export const round = defineSteps('round', roundHalfToEven, roundedToEven);
