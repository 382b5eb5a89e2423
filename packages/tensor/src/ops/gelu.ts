import type { Tensor } from '../autograd/tensor.ts';
import { gaussianCdf, gaussianPdf, sigmoid as sigmoidOf } from '../backend/reference/functions.ts';
import type { FunctionBuilder } from '../backend/wasm/assembler/function.ts';
import type { Local } from '../backend/wasm/assembler/parameters.ts';
import { type Floats, splat } from '../backend/wasm/assembler/vectors.ts';
import {
  gaussianTail,
  logistic,
  normalDistribution,
  roundedOff,
} from '../backend/wasm/kernels/elementwise/functions.ts';
import { expectThat, readOptions } from '../core/checks.ts';
import { add, mul, sub } from './arithmetic.ts';
import { defineUnary } from './define-unary.ts';
import type { TensorLike } from './operands.ts';
import { exp, neg } from './pointwise.ts';
import { floatingInput } from './promotion.ts';
import { sigmoid, tanh } from './sigmoid.ts';

/** u = 2 √(2/π) (x + 0.044715 x³): Φ(x) ≈ σ(u) = (1 + tanh(u / 2)) / 2. */
const LINEAR = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = LINEAR * 0.044715;
const argument = (x: number): number => x * (LINEAR + CUBIC * x * x);
/** Here σ(u) is 0 or 1 and σ′(u) is 0; powers of x might be infinite farther out. */
const REACH = 20;

/** A number as one in float32 and the rest. */
function twoParts(f: FunctionBuilder, x: number): readonly [Local<Floats>, Floats] {
  const { splat } = f.constants;
  return [f.floats(splat(x)), splat(x - Math.fround(x))];
}

/**
 * u in two parts, of which the large one replaces `x`: e^u would magnify a rounding of u by |u|, so all
 * that rounding takes off is collected.
 *
 * @returns the small one
 */
function argumentOfLanes(f: FunctionBuilder, x: Local<Floats>): Local<Floats> {
  const input = f.floats(x);
  const [linear, restOfLinear] = twoParts(f, LINEAR);
  const [cubic, restOfCubic] = twoParts(f, CUBIC);
  const square = f.floats(x.times(x));
  const term = f.floats(square.times(cubic));
  const small = f.floats(roundedOff(f, x, x, square).times(cubic).plus(square.times(restOfCubic)));
  small.set(small.plus(roundedOff(f, square, cubic, term)).plus(restOfLinear));
  const sum = f.floats(term.plus(linear));
  const added = f.floats(sum.minus(linear));
  small.set(small.plus(linear.minus(sum.minus(added))).plus(term.minus(added)));
  x.set(sum.times(input));
  small.set(small.times(input).plus(roundedOff(f, sum, input, x)));
  return small;
}

/** φ(x) = e^(−x²/2) / √(2π). */
const density = (x: Tensor): Tensor => mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));

const exactGelu = defineUnary('gelu', {
  from: 'input',
  f: (x) => x * gaussianCdf(x),
  gradient: (x, g) => g * (gaussianCdf(x) + x * gaussianPdf(x)),
  curvature: (x) => mul(density(x), sub(2, mul(x, x))),
  lanes: {
    f(f, x) {
      const input = f.floats(x);
      normalDistribution(f, x);
      x.set(x.times(input));
    },
    // Φ(x) + x φ(x), in which both have the factor e^(−x²/2).
    gradient(f, x, g) {
      const { splat: constant } = f.constants;
      const input = f.floats(x);
      const isNegative = f.ints(x.lessThan(splat(0)));
      const ratio = gaussianTail(f, x);
      const slope = input.times(constant(1 / Math.sqrt(2 * Math.PI)));
      x.set(x.times(slope.plus(isNegative.select(ratio, ratio.negated()))));
      x.set(g.times(isNegative.select(x, x.plus(constant(1)))));
    },
  },
});

const approximateGelu = defineUnary('geluTanh', {
  from: 'input',
  f: (x) => x * sigmoidOf(argument(x)),
  gradient(input, g) {
    const x = Math.min(Math.max(input, -REACH), REACH);
    const [s, rest] = [sigmoidOf(argument(x)), sigmoidOf(-argument(x))];
    return g * (s + x * (s * rest * (LINEAR + 3 * CUBIC * x * x)));
  },
  // σ′ (2 u′ + x (u″ + u′² (1 − 2 σ)))
  curvature(x) {
    const square = mul(x, x);
    const u = mul(x, add(mul(square, CUBIC), LINEAR));
    const slope = add(mul(square, 3 * CUBIC), LINEAR);
    const bend = add(mul(x, 6 * CUBIC), mul(mul(slope, slope), neg(tanh(mul(u, 0.5)))));
    return mul(mul(sigmoid(u), sigmoid(neg(u))), add(mul(slope, 2), mul(x, bend)));
  },
  lanes: {
    f(f, x) {
      const { splat } = f.constants;
      const input = f.floats(x);
      x.set(x.max(splat(-REACH)).min(splat(REACH)));
      logistic(f, x, argumentOfLanes(f, x));
      x.set(x.times(input));
    },
    gradient(f, x, g) {
      const { splat } = f.constants;
      const input = f.floats(x.max(splat(-REACH)).min(splat(REACH)));
      x.set(input);
      const rest = logistic(f, x, argumentOfLanes(f, x));
      const slope = f.floats(
        f.multiplyAdd(input.times(input), splat(3 * CUBIC), splat(LINEAR)).times(rest.times(x)),
      );
      x.set(f.multiplyAdd(slope, input, x).times(g));
    },
  },
});

/**
 * y = x · Φ(x), Φ being the distribution function of the standard normal distribution.
 *
 * @param options `approximate`: `'none'` (default), or `'tanh'` for
 *   ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), as GPT-2 and BERT compute it
 * @throws ValueError for another approximation
 * @see Hendrycks & Gimpel, arXiv:1606.08415
 */
export function gelu(x: TensorLike, options: { approximate?: 'none' | 'tanh' } = {}): Tensor {
  const { approximate = 'none' } = readOptions('gelu', options, ['approximate']);
  const isKnown = approximate === 'none' || approximate === 'tanh';
  expectThat(isKnown, 'gelu', 'approximate', "'none' or 'tanh'", approximate);
  const input = floatingInput('gelu', x);
  return approximate === 'none' ? exactGelu(input) : approximateGelu(input);
}
