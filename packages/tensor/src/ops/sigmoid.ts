import type { Tensor } from '../autograd/tensor.ts';
import { sigmoid as sigmoidOf } from '../backend/reference/functions.ts';
import {
  hyperbolicTangent,
  logistic,
  logisticSlope,
} from '../backend/wasm/kernels/elementwise/functions.ts';
import { add, mul } from './arithmetic.ts';
import { defineUnary } from './define-unary.ts';
import type { TensorLike } from './operands.ts';
import { neg } from './pointwise.ts';
import { floatingInput } from './promotion.ts';

/** sigmoid′, without the difference 1 − y, which has no digits far out. */
const slopeOfSigmoid = (x: Tensor): Tensor => mul(sigmoid(x), sigmoid(neg(x)));
/** 1 − 2 · sigmoid(x) = sigmoid(−x) − sigmoid(x) = −tanh(x / 2). */
const tilt = (x: Tensor): Tensor => neg(tanh(mul(x, 0.5)));

// From the inputs: far out the outputs are 1, and y · (1 − y) and 1 − y² have no digits.

const sigmoidOp = /* @__PURE__ */ defineUnary('sigmoid', {
  from: 'input',
  f: sigmoidOf,
  gradient: (x, g) => g * (sigmoidOf(x) * sigmoidOf(-x)),
  curvature: (x) => mul(slopeOfSigmoid(x), tilt(x)),
  lanes: {
    f(f, x) {
      logistic(f, x);
    },
    gradient(f, x, g) {
      logisticSlope(f, x);
      x.set(g.times(x));
    },
  },
});

const tanhOp = /* @__PURE__ */ defineUnary('tanh', {
  from: 'input',
  f: Math.tanh,
  gradient: (x, g) => g * (4 * sigmoidOf(2 * x) * sigmoidOf(-2 * x)),
  // tanh′(x) = 4 · sigmoid′(2x), and so tanh″(x) = 8 · sigmoid″(2x).
  curvature: (x) => mul(8, mul(slopeOfSigmoid(mul(x, 2)), neg(tanh(x)))),
  lanes: {
    f: hyperbolicTangent,
    gradient(f, x, g) {
      x.set(x.plus(x));
      logisticSlope(f, x);
      x.set(g.times(x.times(f.constants.splat(4))));
    },
  },
});

const siluOp = /* @__PURE__ */ defineUnary('silu', {
  from: 'input',
  f: (x) => x * sigmoidOf(x),
  gradient: (x, g) => g * (sigmoidOf(x) * (1 + x * sigmoidOf(-x))),
  curvature: (x) => mul(slopeOfSigmoid(x), add(2, mul(x, tilt(x)))),
  lanes: {
    f(f, x) {
      const input = f.floats(x);
      logistic(f, x);
      x.set(x.times(input));
    },
    gradient(f, x, g) {
      const input = f.floats(x);
      const rest = logistic(f, x);
      x.set(g.times(x.times(f.multiplyAdd(input, rest, f.constants.splat(1)))));
    },
  },
});

/** y = 1 / (1 + e^−x). */
export function sigmoid(x: TensorLike): Tensor {
  return sigmoidOp(floatingInput('sigmoid', x));
}

/** y = tanh x. */
export function tanh(x: TensorLike): Tensor {
  return tanhOp(floatingInput('tanh', x));
}

/** y = x · sigmoid(x), also called swish. */
export function silu(x: TensorLike): Tensor {
  return siluOp(floatingInput('silu', x));
}
