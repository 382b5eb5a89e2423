import type { Tensor } from '../autograd/tensor.ts';
import { cosine, sine } from '../backend/wasm/kernels/elementwise/trigonometric.ts';
import { add, div, mul, pow, sub } from './arithmetic.ts';
import { defineUnary, type UnaryDefinition } from './define-unary.ts';
import type { TensorLike } from './operands.ts';
import { neg } from './pointwise.ts';
import { floatingInput } from './promotion.ts';

/* @__NO_SIDE_EFFECTS__ */
function defineFloating(name: string, definition: UnaryDefinition): (x: TensorLike) => Tensor {
  const op = defineUnary(name, definition);
  return (x) => op(floatingInput(name, x));
}

const square = (x: Tensor): Tensor => mul(x, x);

/** y = sin x, x in radians; off by less than 1.6 ulp on wasm, also for the largest x. */
export const sin = defineFloating('sin', {
  from: 'input',
  f: Math.sin,
  gradient: (x, g) => g * Math.cos(x),
  curvature: (x) => neg(sin(x)),
  lanes: {
    f: sine,
    gradient(f, x, g) {
      cosine(f, x);
      x.set(x.times(g));
    },
  },
});

/** y = cos x, x in radians; off by less than 1.6 ulp on wasm, also for the largest x. */
export const cos = defineFloating('cos', {
  from: 'input',
  f: Math.cos,
  gradient: (x, g) => -g * Math.sin(x),
  curvature: (x) => neg(cos(x)),
  lanes: {
    f: cosine,
    gradient(f, x, g) {
      sine(f, x);
      x.set(x.times(g).negated());
    },
  },
});

/** y = tan x, x in radians. */
export const tan = defineFloating('tan', {
  from: 'output',
  f: Math.tan,
  gradient: (y, g) => g * (1 + y * y),
  curvature: (y) => mul(y, 2),
});

/** y = arcsin x in [−π/2, π/2]; NaN beyond [−1, 1]. */
export const asin = defineFloating('asin', {
  from: 'input',
  f: Math.asin,
  gradient: (x, g) => g / Math.sqrt((1 - x) * (1 + x)),
  curvature: (x) => mul(x, pow(sub(1, square(x)), -1.5)),
});

/** y = arccos x in [0, π]; NaN beyond [−1, 1]. */
export const acos = defineFloating('acos', {
  from: 'input',
  f: Math.acos,
  gradient: (x, g) => -g / Math.sqrt((1 - x) * (1 + x)),
  curvature: (x) => neg(mul(x, pow(sub(1, square(x)), -1.5))),
});

/** y = arctan x in [−π/2, π/2]. */
export const atan = defineFloating('atan', {
  from: 'input',
  f: Math.atan,
  gradient: (x, g) => g / (1 + x * x),
  curvature: (x) => div(mul(x, -2), square(add(square(x), 1))),
});

/** y = sinh x. */
export const sinh = defineFloating('sinh', {
  from: 'input',
  f: Math.sinh,
  gradient: (x, g) => g * Math.cosh(x),
  curvature: (x) => sinh(x),
});

/** y = cosh x. */
export const cosh = defineFloating('cosh', {
  from: 'input',
  f: Math.cosh,
  gradient: (x, g) => g * Math.sinh(x),
  curvature: (x) => cosh(x),
});

/** y = arsinh x. */
export const asinh = defineFloating('asinh', {
  from: 'input',
  f: Math.asinh,
  gradient: (x, g) => g / Math.hypot(x, 1),
  curvature: (x) => neg(mul(x, pow(add(square(x), 1), -1.5))),
});

/** y = arcosh x; NaN below 1. */
export const acosh = defineFloating('acosh', {
  from: 'input',
  f: Math.acosh,
  gradient: (x, g) => g / Math.sqrt((x - 1) * (x + 1)),
  curvature: (x) => neg(mul(x, pow(sub(square(x), 1), -1.5))),
});

/** y = artanh x; ±Infinity at ±1, NaN beyond. */
export const atanh = defineFloating('atanh', {
  from: 'input',
  f: Math.atanh,
  gradient: (x, g) => g / ((1 - x) * (1 + x)),
  curvature: (x) => div(mul(x, 2), square(sub(1, square(x)))),
});
