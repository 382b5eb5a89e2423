import {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  ceil,
  celu,
  clip,
  cos,
  cosh,
  elu,
  erf,
  expm1,
  floor,
  gelu,
  hardSigmoid,
  hardSwish,
  log1p,
  mish,
  mul,
  reciprocal,
  relu6,
  round,
  rsqrt,
  selu,
  sign,
  sin,
  sinh,
  softplus,
  softsign,
  square,
  type Tensor,
  tan,
  tensor,
} from '@firelight/tensor';
import { awayFromZero, normal, positive } from '../../helpers/arbitraries.ts';

/** A function of each element alone that has its kernels beside it, and how tests call it. */
interface PointwiseCase {
  readonly run: (x: Tensor) => Tensor;
  /** Numbers around which it can be differentiated. */
  readonly fill: (shape: readonly number[], seed: number) => Tensor;
  /** Whether its gradient is computed from its output; it is from its input unless said otherwise. */
  readonly keepsOutput?: boolean;
}

type Fill = PointwiseCase['fill'];

const mapped =
  (fill: Fill, f: (x: number) => number): Fill =>
  (shape, seed) =>
    tensor(Float64Array.from(fill(shape, seed).data, f), { shape });

/** In (−0.7, 0.7), and above 1. */
const inside = mapped(normal, (x) => 0.7 * Math.tanh(x));
const aboveOne = mapped(positive, (x) => x + 0.7);
/** At least 0.2 from every half: between two steps of `floor`, `ceil` and `round`. */
const betweenSteps = mapped(normal, (x) => Math.floor(4 * x) / 2 + 0.25);
/** At least 0.1 from the kinks that functions have at −3, −1, 0, 1 and 3. */
const awayFromKinks = mapped(awayFromZero, (x) => {
  const y = 1.7 * x;
  return Math.abs(y - Math.round(y)) < 0.1 ? y + 0.2 : y;
});

/** By the names under which the operations are defined. */
export const POINTWISE_FUNCTIONS: Readonly<Record<string, PointwiseCase>> = {
  acos: { run: acos, fill: inside },
  acosh: { run: acosh, fill: aboveOne },
  asin: { run: asin, fill: inside },
  asinh: { run: asinh, fill: normal },
  atan: { run: atan, fill: normal },
  atanh: { run: atanh, fill: inside },
  ceil: { run: (x) => mul(ceil(x), x), fill: betweenSteps },
  celu: { run: (x) => celu(x, { alpha: 0.7 }), fill: awayFromZero },
  clip: { run: (x) => clip(x, { min: -1, max: 3 }), fill: awayFromKinks },
  cos: { run: cos, fill: normal },
  cosh: { run: cosh, fill: normal },
  elu: { run: (x) => elu(x, { alpha: 1.5 }), fill: awayFromZero },
  erf: { run: erf, fill: normal },
  expm1: { run: expm1, fill: normal },
  floor: { run: (x) => mul(floor(x), x), fill: betweenSteps },
  geluTanh: { run: (x) => gelu(x, { approximate: 'tanh' }), fill: normal },
  hardSigmoid: { run: (x) => hardSigmoid(x), fill: awayFromKinks },
  hardSwish: { run: hardSwish, fill: awayFromKinks },
  log1p: { run: log1p, fill: positive },
  mish: { run: mish, fill: normal },
  reciprocal: { run: reciprocal, fill: awayFromZero, keepsOutput: true },
  relu6: { run: relu6, fill: awayFromKinks },
  round: { run: (x) => mul(round(x), x), fill: betweenSteps },
  rsqrt: { run: rsqrt, fill: positive, keepsOutput: true },
  selu: { run: selu, fill: awayFromZero },
  sign: { run: (x) => mul(sign(x), x), fill: awayFromZero },
  sin: { run: sin, fill: normal },
  sinh: { run: sinh, fill: normal },
  softplus: { run: softplus, fill: normal },
  softsign: { run: softsign, fill: awayFromZero },
  square: { run: square, fill: normal },
  tan: { run: tan, fill: inside, keepsOutput: true },
};

/** The same as pairs of name and function. */
export const POINTWISE_ENTRIES = Object.entries(POINTWISE_FUNCTIONS).map(
  ([name, { run }]) => [name, run] as const,
);
