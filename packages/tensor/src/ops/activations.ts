import type { Tensor } from '../autograd/tensor.ts';
import { sigmoid as sigmoidOf } from '../backend/reference/functions.ts';
import type { FunctionBuilder } from '../backend/wasm/assembler/function.ts';
import type { Local } from '../backend/wasm/assembler/parameters.ts';
import { type Floats, splat } from '../backend/wasm/assembler/vectors.ts';
import {
  exponential,
  exponentialMinusOne,
  logarithmOfOnePlus,
  logistic,
} from '../backend/wasm/kernels/elementwise/functions.ts';
import { expectFinite, expectThat, readOptions } from '../core/checks.ts';
import { add, mul, pow, sub } from './arithmetic.ts';
import { greater, less } from './comparison.ts';
import { defineUnary } from './define-unary.ts';
import type { TensorLike } from './operands.ts';
import { abs, exp, neg } from './pointwise.ts';
import { floatingInput } from './promotion.ts';
import { sigmoid, tanh } from './sigmoid.ts';
import { where } from './where.ts';

const zero = splat(0);

const softplusOp = defineUnary('softplus', {
  from: 'input',
  f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  gradient: (x, g) => g * sigmoidOf(x),
  curvature: (x) => mul(sigmoid(x), sigmoid(neg(x))),
  lanes: {
    f(f, x) {
      const largest = f.floats(x.positivePart());
      x.set(x.abs().negated());
      exponential(f, x);
      logarithmOfOnePlus(f, x);
      x.set(x.plus(largest));
    },
    gradient(f, x, g) {
      logistic(f, x);
      x.set(x.times(g));
    },
  },
});

/**
 * y = ln(1 + e^x), a smooth max(0, x).
 *
 * @see torch.nn.functional.softplus
 */
export function softplus(x: TensorLike): Tensor {
  return softplusOp(floatingInput('softplus', x));
}

/**
 * tanh(softplus(x)) as a quotient (n, n + 2) with n = e^x (e^x + 2), scaled by e^−2x for x ≥ 0, where
 * it would overflow: no logarithm is needed.
 */
function mishQuotient(x: number): { n: number; d: number } {
  const u = Math.exp(-Math.abs(x));
  return x < 0
    ? { n: u * (u + 2), d: u * (u + 2) + 2 }
    : { n: 1 + 2 * u, d: 1 + 2 * u + 2 * u * u };
}

/** The same on lanes: u = e^−|x| replaces x; n and d are returned. */
function mishQuotientOfLanes(f: FunctionBuilder, x: Local<Floats>) {
  const { splat } = f.constants;
  const isNegative = f.ints(x.lessThan(zero));
  x.set(x.abs().negated());
  exponential(f, x);
  const small = f.floats(x.times(x.plus(splat(2))));
  const large = f.floats(x.plus(x).plus(splat(1)));
  const n = f.floats(isNegative.select(small, large));
  const d = f.floats(
    isNegative.select(small.plus(splat(2)), large.plus(x.times(x).times(splat(2)))),
  );
  return { n, d, isNegative };
}

const mishOp = defineUnary('mish', {
  from: 'input',
  f(x) {
    const { n, d } = mishQuotient(x);
    return x * (n / d);
  },
  // t + x σ(x) (1 − t²), where 1 − t² = (d − n)(d + n) / d² and t = n / d
  gradient(x, g) {
    const { n, d } = mishQuotient(x);
    const u = Math.exp(-Math.abs(x));
    const rest = x < 0 ? 2 : 2 * u * u; // d − n
    return g * (n / d + x * sigmoidOf(x) * ((rest / d) * ((d + n) / d)));
  },
  curvature(x) {
    const t = tanh(softplus(x));
    const s = sigmoid(x);
    const w = sub(1, mul(t, t));
    const bend = sub(mul(mul(s, sigmoid(neg(x))), w), mul(mul(t, w), mul(mul(s, s), 2)));
    return add(mul(mul(s, w), 2), mul(x, bend));
  },
  lanes: {
    f(f, x) {
      const input = f.floats(x);
      const { n, d } = mishQuotientOfLanes(f, x);
      x.set(input.times(n.dividedBy(d)));
    },
    gradient(f, x, g) {
      const { splat } = f.constants;
      const input = f.floats(x);
      const { n, d, isNegative } = mishQuotientOfLanes(f, x);
      const u = f.floats(x);
      const rest = f.floats(isNegative.select(splat(2), u.times(u).times(splat(2))));
      const slope = f.floats(rest.dividedBy(d).times(d.plus(n).dividedBy(d)));
      x.set(input);
      logistic(f, x);
      x.set(f.multiplyAdd(input.times(x), slope, n.dividedBy(d)).times(g));
    },
  },
});

/**
 * y = x · tanh(softplus(x)).
 *
 * @see Misra, arXiv:1908.08681
 */
export function mish(x: TensorLike): Tensor {
  return mishOp(floatingInput('mish', x));
}

/** y = scale · x for x > 0, scale · alpha · (e^(rate · x) − 1) below: elu, selu and celu. */
const exponentialLinear = (name: string) =>
  defineUnary(name, {
    from: 'input',
    f: (x, scale, alpha, rate) => scale * (x > 0 ? x : alpha * Math.expm1(rate * x)),
    gradient: (x, g, scale, alpha, rate) =>
      x > 0 ? scale * g : g * (scale * alpha * rate * Math.exp(rate * x)),
    curvature: (x, scale, alpha, rate) =>
      where(greater(x, 0), 0, mul(exp(mul(x, rate)), scale * alpha * rate * rate)),
    lanes: {
      f(f, x, [scale, alpha, rate]) {
        const input = f.floats(x);
        x.set(x.min(zero).times(rate));
        exponentialMinusOne(f, x);
        x.set(input.greaterThan(zero).select(input, x.times(alpha)).times(scale));
      },
      gradient(f, x, g, [scale, alpha, rate]) {
        const input = f.floats(x);
        x.set(x.min(zero).times(rate));
        exponential(f, x);
        x.set(x.times(alpha.times(rate)));
        x.set(input.greaterThan(zero).select(g, x.times(g)).times(scale));
      },
    },
  });

const eluOp = exponentialLinear('elu');
const seluOp = exponentialLinear('selu');
const celuOp = exponentialLinear('celu');

function readAlpha(op: string, options: { alpha?: number }): number {
  const { alpha = 1 } = readOptions(op, options, ['alpha']);
  expectFinite(op, 'alpha', alpha);
  return alpha;
}

/**
 * y = x for x > 0, alpha · (e^x − 1) below.
 *
 * @param options `alpha`: 1 by default
 * @throws ValueError unless alpha is finite
 * @see Clevert et al., arXiv:1511.07289
 */
export function elu(x: TensorLike, options: { alpha?: number } = {}): Tensor {
  const alpha = readAlpha('elu', options);
  return eluOp(floatingInput('elu', x), 1, alpha, 1);
}

/**
 * y = scale · x for x > 0, scale · alpha · (e^x − 1) below.
 *
 * @param options `scale` ≈ 1.0507, `alpha` ≈ 1.6733 by default, so that outputs of inputs N(0, 1) have mean 0
 *   and variance 1 again
 * @throws ValueError unless both are finite
 * @see Klambauer et al., arXiv:1706.02515
 */
export function selu(x: TensorLike, options: { scale?: number; alpha?: number } = {}): Tensor {
  const given = readOptions('selu', options, ['scale', 'alpha']);
  const { scale = 1.0507009873554805, alpha = 1.6732632423543772 } = given;
  expectFinite('selu', 'scale', scale);
  expectFinite('selu', 'alpha', alpha);
  return seluOp(floatingInput('selu', x), scale, alpha, 1);
}

/**
 * y = x for x > 0, alpha · (e^(x / alpha) − 1) below, whose slope at 0 is 1 for every alpha.
 *
 * @param options `alpha`: 1 by default, not 0
 * @throws ValueError unless alpha is finite and not 0
 * @see Barron, arXiv:1704.07483
 */
export function celu(x: TensorLike, options: { alpha?: number } = {}): Tensor {
  const alpha = readAlpha('celu', options);
  expectThat(alpha !== 0, 'celu', 'alpha', 'a finite number other than 0', alpha);
  return celuOp(floatingInput('celu', x), 1, alpha, 1 / alpha);
}

/** y = alpha · (x + shift) + beta in [0, 1]. */
const hardSigmoidOp = defineUnary('hardSigmoid', {
  from: 'input',
  f: (x, alpha, shift, beta) => Math.min(Math.max(alpha * (x + shift) + beta, 0), 1),
  gradient(x, g, alpha, shift, beta) {
    const y = alpha * (x + shift) + beta;
    return y > 0 && y < 1 ? alpha * g : 0;
  },
  curvature: 'zero',
  lanes: {
    f(_, x, [alpha, shift, beta]) {
      x.set(x.plus(shift).times(alpha).plus(beta).max(zero).min(splat(1)));
    },
    gradient(f, x, g, [alpha, shift, beta]) {
      x.set(x.plus(shift).times(alpha).plus(beta));
      const isInside = x.greaterThan(zero).and(x.lessThan(f.constants.splat(1)));
      x.set(isInside.select(g.times(alpha), zero));
    },
  },
});

/**
 * y = alpha · x + beta brought into [0, 1].
 *
 * @param options `alpha`: 1/6 by default, as PyTorch's (ONNX's is 0.2); `beta`: 0.5
 * @throws ValueError unless both are finite
 */
export function hardSigmoid(
  x: TensorLike,
  options: { alpha?: number; beta?: number } = {},
): Tensor {
  const { alpha = 1 / 6, beta = 0.5 } = readOptions('hardSigmoid', options, ['alpha', 'beta']);
  expectFinite('hardSigmoid', 'alpha', alpha);
  expectFinite('hardSigmoid', 'beta', beta);
  const input = floatingInput('hardSigmoid', x);
  // The sum with x is exact near the zero −beta / alpha, where that with alpha · x has few digits.
  const shift = beta / alpha;
  return Math.abs(shift) < 2 ** 24
    ? hardSigmoidOp(input, alpha, shift, 0)
    : hardSigmoidOp(input, alpha, 0, beta);
}

const hardSwishOp = defineUnary('hardSwish', {
  from: 'input',
  f: (x) => (x <= -3 ? 0 : x >= 3 ? x : (x * (x + 3)) / 6),
  gradient: (x, g) => (x <= -3 ? 0 : x >= 3 ? g : g * ((2 * x + 3) / 6)),
  curvature: (x) => where(less(x, -3), 0, where(greater(x, 3), 0, 1 / 3)),
  lanes: {
    f(f, x) {
      const { splat } = f.constants;
      const inner = f.floats(x.times(x.plus(splat(3))).times(splat(1 / 6)));
      const outer = f.floats(x.atLeast(splat(3)).select(x, inner));
      x.set(x.atMost(splat(-3)).select(zero, outer));
    },
    gradient(f, x, g) {
      const { splat } = f.constants;
      const inner = f.floats(
        g.times(
          x
            .plus(x)
            .plus(splat(3))
            .times(splat(1 / 6)),
        ),
      );
      const outer = f.floats(x.atLeast(splat(3)).select(g, inner));
      x.set(x.atMost(splat(-3)).select(zero, outer));
    },
  },
});

/**
 * y = x · clip(x + 3, 0, 6) / 6.
 *
 * @see Howard et al., arXiv:1905.02244
 */
export function hardSwish(x: TensorLike): Tensor {
  return hardSwishOp(floatingInput('hardSwish', x));
}

const softsignOp = defineUnary('softsign', {
  from: 'input',
  f: (x) => (Math.abs(x) === Number.POSITIVE_INFINITY ? Math.sign(x) : x / (1 + Math.abs(x))),
  gradient: (x, g) => g / (1 + Math.abs(x)) ** 2,
  curvature: (x) => mul(where(less(x, 0), 2, -2), pow(add(abs(x), 1), -3)),
});

/** y = x / (1 + |x|). */
export function softsign(x: TensorLike): Tensor {
  return softsignOp(floatingInput('softsign', x));
}
