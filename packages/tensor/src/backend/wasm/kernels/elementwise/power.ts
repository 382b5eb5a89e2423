import type { NdArray } from '../../../../core/ndarray.ts';
import { broadcastShapes } from '../../../../core/shape.ts';
import type { Kernels } from '../../../contract.ts';
import { type Doubles, highToDoubles, lowToDoubles, splatF64 } from '../../assembler/doubles.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local } from '../../assembler/parameters.ts';
import { roundedToEven } from '../../assembler/rounding.ts';
import { type Floats, type Ints, splat } from '../../assembler/vectors.ts';
import { toFloats } from '../lanes/long-sum.ts';
import { binaryFunctions, defineBinary, runBinary } from './binary.ts';
import { binaryExponent, powerOfTwo } from './functions.ts';

/**
 * log₂ m = 2 / ln 2 · (s + s³/3 + s⁵/5 + …) with s = (m − 1) / (m + 1), which for m between √½ and √2 is
 * at most 0.172: exact to 1e-14 with eight terms.
 */
const LOGARITHM = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => (2 * Math.LOG2E) / (2 * k + 1));

/** 2ʳ = Σ (r ln 2)ᵏ / k! for |r| ≤ ½: exact to 1e-12 with ten terms. */
const EXPONENTIAL = Array.from({ length: 10 }, (_, k) => {
  const factorial = Array.from({ length: k }, (__, i) => i + 1).reduce((x, y) => x * y, 1);
  return Math.LN2 ** k / factorial;
});

/** Exponents of 2 beyond which float32 are 0 or infinite. */
const REACH = 200;

/** c[0] + c[1] · x + c[2] · x² + … by Horner's rule. */
function polynomial(x: Doubles, coefficients: readonly number[]): Doubles {
  return coefficients
    .slice(0, -1)
    .reduceRight<Doubles>(
      (sum, coefficient) => sum.times(x).plus(splatF64(coefficient)),
      splatF64(coefficients[coefficients.length - 1]),
    );
}

/** 2ʳ and n, where y · (e + log₂ m) = n + r: in float64, since what is rounded off is an error of 2ʳ. */
function halfOfPower(
  f: FunctionBuilder,
  m: Doubles,
  e: Doubles,
  y: Doubles,
): { fraction: Local<Doubles>; whole: Local<Doubles> } {
  const one = splatF64(1);
  const s = f.doublesLike(m, m.minus(one).dividedBy(m.plus(one)));
  const logarithm = f.doublesLike(m, polynomial(f.doublesLike(m, s.times(s)), LOGARITHM).times(s));
  const exponent = f.doublesLike(m, logarithm.plus(e).times(y));
  exponent.set(exponent.min(splatF64(REACH)).max(splatF64(-REACH)));
  const whole = f.doublesLike(m, exponent.roundedToEven());
  const fraction = f.doublesLike(m, exponent.minus(whole));
  fraction.set(polynomial(fraction, EXPONENTIAL));
  return { fraction, whole };
}

/**
 * xʸ by IEEE 754, as `power` of the reference backend, rounded a few times: |x|ʸ = 2^(y · log₂ |x|), whose
 * exponent is ±∞ or NaN where that of |x| or y is.
 */
function power(f: FunctionBuilder, base: Floats, exponent: Floats): Floats {
  const { splat: constant, splatInt } = f.constants;
  const x = f.floats(base);
  const y = f.floats(exponent);
  const m = f.floats(x.abs());
  const e = f.floats();
  binaryExponent(f, m, e);
  const infinity = constant(Number.POSITIVE_INFINITY);
  e.set(x.equals(splat(0)).select(constant(Number.NEGATIVE_INFINITY), e));
  e.set(x.abs().lessThan(infinity).select(e, x.abs()));
  const low = halfOfPower(f, lowToDoubles(m), lowToDoubles(e), lowToDoubles(y));
  const high = halfOfPower(f, highToDoubles(m), highToDoubles(e), highToDoubles(y));
  const result = f.floats(toFloats([low.fraction, high.fraction]));
  const whole = f.ints(toFloats([low.whole, high.whole]).toInts());
  const half = f.ints(whole.shiftRight(1));
  // In two steps, because 2ⁿ itself may be too large or too small for a float32.
  result.set(result.times(powerOfTwo(f, half)).times(powerOfTwo(f, whole.minus(half))));

  const isWhole = f.ints(roundedToEven(y).equals(y));
  const halfOfY = f.floats(y.times(constant(0.5)));
  const isOdd: Ints = isWhole.and(roundedToEven(halfOfY).notEquals(halfOfY));
  result.set(
    result
      .bits()
      .xor(
        x
          .bits()
          .and(isOdd)
          .and(splatInt(-(2 ** 31))),
      )
      .bits(),
  );
  const isNegative = x.lessThan(splat(0)).and(x.greaterThan(constant(Number.NEGATIVE_INFINITY)));
  result.set(isNegative.andNot(isWhole).select(constant(Number.NaN), result));
  const isOne = x
    .equals(constant(1))
    .or(y.equals(splat(0)))
    .or(x.equals(constant(-1)).and(y.abs().equals(infinity)));
  return isOne.select(constant(1), result);
}

const powerTask = defineBinary('pow', (a, b, f) => power(f, a, b));

/** Whether it is the number 2 alone: squares are the powers that most programs take. */
const isTwo = ({ size, storage }: NdArray): boolean => size === 1 && storage.source.read()[0] === 2;

export const powers: Pick<Kernels, 'power'> = {
  power(a, b) {
    if (!isTwo(b)) return runBinary(powerTask, a, b);
    const shape = broadcastShapes(a.shape, b.shape) as number[]; // The op checked that they do.
    return binaryFunctions.binary('mul', a, a).withShape(shape);
  },
};
