import type { Tensor } from '../autograd/tensor.ts';
import { errorFunction } from '../backend/reference/functions.ts';
import {
  bell,
  errorFunction as errorFunctionOfLanes,
} from '../backend/wasm/kernels/elementwise/functions.ts';
import { softplus } from './activations.ts';
import { add, div, mul } from './arithmetic.ts';
import { defineUnary, type UnaryDefinition } from './define-unary.ts';
import type { TensorLike } from './operands.ts';
import { exp, neg } from './pointwise.ts';
import { floatingInput } from './promotion.ts';

/* @__NO_SIDE_EFFECTS__ */
function defineFloating(name: string, definition: UnaryDefinition): (x: TensorLike) => Tensor {
  const op = defineUnary(name, definition);
  return (x) => op(floatingInput(name, x));
}

const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);

/** y = e^x − 1, with all its digits also near 0. */
export const expm1 = defineFloating('expm1', {
  from: 'input', // y + 1 has no digits of e^x far below 0.
  f: Math.expm1,
  gradient: (x, g) => g * Math.exp(x),
  curvature: exp,
});

/** y = ln(1 + x), with all its digits also near 0; −Infinity at −1, NaN below. */
export const log1p = defineFloating('log1p', {
  from: 'input',
  f: Math.log1p,
  gradient: (x, g) => g / (1 + x),
  curvature: (x) => div(-1, mul(add(x, 1), add(x, 1))),
});

/** y = erf x = 2/√π · ∫₀ˣ e^(−t²) dt. */
export const erf = defineFloating('erf', {
  from: 'input',
  f: errorFunction,
  gradient: (x, g) => g * (TWO_OVER_ROOT_PI * Math.exp(-x * x)),
  curvature: (x) => mul(mul(exp(mul(mul(x, x), -1)), x), -2 * TWO_OVER_ROOT_PI),
  lanes: {
    f: errorFunctionOfLanes,
    gradient(f, x, g) {
      bell(f, x);
      x.set(x.times(f.constants.splat(TWO_OVER_ROOT_PI)).times(g));
    },
  },
});

/** y = 1 / √x; Infinity at 0, NaN below. */
export const rsqrt = defineFloating('rsqrt', {
  from: 'output',
  f: (x) => 1 / Math.sqrt(x),
  gradient: (y, g) => g * (-0.5 * y * y * y),
  curvature: (y) => mul(mul(y, y), -1.5),
  lanes: {
    f: (f, x) => x.set(f.constants.splat(1).dividedBy(x.sqrt())),
    // The half first, since y³ may be too large.
    gradient: (f, y, g) => y.set(y.times(f.constants.splat(-0.5)).times(y).times(y).times(g)),
  },
});

/** y = 1 / x; integers as float32. */
export const reciprocal = defineFloating('reciprocal', {
  from: 'output',
  f: (x) => 1 / x,
  gradient: (y, g) => -g * y * y,
  curvature: (y) => mul(y, -2),
  lanes: {
    f: (f, x) => x.set(f.constants.splat(1).dividedBy(x)),
    gradient: (_, y, g) => y.set(y.times(y).times(g).negated()),
  },
});

/**
 * y = ln σ(x) = −ln(1 + e^−x), with all its digits for any x.
 *
 * @see torch.nn.functional.logsigmoid
 */
export function logSigmoid(x: TensorLike): Tensor {
  return neg(softplus(neg(floatingInput('logSigmoid', x))));
}
