import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local } from '../../assembler/parameters.ts';
import type { Floats, Ints } from '../../assembler/vectors.ts';

/**
 * Functions on float32 lanes, as many as the variable has that they are given. Each is code: it takes
 * that variable (which it may change) and leaves the result in it.
 */

/** c[0] + c[1] · x + c[2] · x² + … by Horner's rule. */
export function polynomial(f: FunctionBuilder, x: Floats, coefficients: readonly number[]): Floats {
  const { splat } = f.constants;
  return coefficients
    .slice(0, -1)
    .reduceRight(
      (sum, coefficient) => f.multiplyAdd(sum, x, splat(coefficient)),
      splat(coefficients[coefficients.length - 1]),
    );
}

/** ln 2 as a number with 15 bits, whose products with exponents are exact, and the rest. */
const LN2_HIGH = 0.693145751953125;
const LN2_LOW = 1.42860682031e-6;

/**
 * 1.5 · 2²³: between 2²³ and 2²⁴ float32 are the whole numbers, so a sum with it is rounded to one
 * (ties to even), and its bits count up with it. V8 packs such sums into 256 bits, but not the
 * instructions that round and convert.
 */
const WHOLE_NUMBERS = 1.5 * 2 ** 23;
const WHOLE_NUMBERS_BITS = 0x4b400000;

/** 2ⁿ for whole numbers −126 ≤ n ≤ 127, by their exponent bits. */
export function powerOfTwo(f: FunctionBuilder, n: Ints): Floats {
  const { splatInt } = f.constants;
  return n.plus(splatInt(127)).shiftLeft(23).bits();
}

/**
 * eˣ = 2ⁿ · eʳ with n = round(x / ln 2), |r| ≤ ln 2 / 2, and the Taylor series of eʳ up to r⁷, which is
 * exact to 6e-9. Relative error below 2e-7; overflow gives Infinity, underflow 0.
 *
 * @param small added to x without rounding the sum, whose last digits are the first of the result
 */
export function exponential(f: FunctionBuilder, x: Local<Floats>, small?: Local<Floats>): void {
  const { splat, splatInt } = f.constants;
  const n = f.floatsLike(x);
  const whole = f.intsLike(x);
  const half = f.intsLike(x);
  x.set(x.min(splat(89)).max(splat(-104))); // Beyond these the result is Infinity or 0 anyway.
  const sum = small === undefined ? x : x.plus(small);
  n.set(sum.times(splat(Math.LOG2E)).plus(splat(WHOLE_NUMBERS)));
  whole.set(n.bits().minus(splatInt(WHOLE_NUMBERS_BITS)));
  n.set(n.minus(splat(WHOLE_NUMBERS)));
  x.set(x.minus(n.times(splat(LN2_HIGH))));
  if (small !== undefined) x.set(x.plus(small));
  x.set(x.minus(n.times(splat(LN2_LOW))));
  x.set(polynomial(f, x, [1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040]));
  // In two steps, because 2ⁿ itself may be too large or too small for a float32.
  half.set(whole.shiftRight(1));
  x.set(x.times(powerOfTwo(f, half)).times(powerOfTwo(f, whole.minus(half))));
}

/**
 * eˣ − 1: for |x| < ½ the Taylor series up to x⁸, since the difference would have few digits there.
 * Relative error below 3e-7.
 */
export function exponentialMinusOne(f: FunctionBuilder, x: Local<Floats>): void {
  const { splat } = f.constants;
  const input = f.floatsLike(x, x);
  const series = f.floatsLike(x);
  series.set(
    polynomial(f, x, [1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040, 1 / 40320]).times(x),
  );
  exponential(f, x);
  x.set(x.minus(splat(1)));
  x.set(input.abs().lessThan(splat(0.5)).select(series, x));
}

/**
 * ln(1 + x) for 0 ≤ x ≤ 1: with s = x / (2 + x) ≤ ⅓ it is 2 s (1 + s²/3 + s⁴/5 + …), exact to 2e-8 with
 * eight terms, also where 1 + x would lose the digits of x.
 */
export function logarithmOfOnePlus(f: FunctionBuilder, x: Local<Floats>): void {
  const { splat } = f.constants;
  x.set(x.dividedBy(x.plus(splat(2))));
  const square = f.floatsLike(x, x.times(x));
  const coefficients = [2, 2 / 3, 2 / 5, 2 / 7, 2 / 9, 2 / 11, 2 / 13, 2 / 15];
  x.set(polynomial(f, square, coefficients).times(x));
}

/** x = m · 2ᵉ with m between √½ and √2, for normal and denormal x > 0; m replaces `x`. */
export function binaryExponent(f: FunctionBuilder, x: Local<Floats>, e: Local<Floats>): void {
  const { splat, splatInt } = f.constants;
  const mantissa = f.intsLike(x);
  const isTiny = f.intsLike(x, x.lessThan(splat(2 ** -126)));
  x.set(isTiny.select(x.times(splat(2 ** 23)), x)); // Denormals have no exponent bits of their own.
  // Subtracting the bits of √½ makes the exponent's bits change where m passes √½.
  mantissa.set(x.bits().minus(splatInt(SQRT_HALF_BITS)));
  e.set(mantissa.shiftRight(23).toFloats());
  e.set(isTiny.select(e.minus(splat(23)), e));
  mantissa.set(mantissa.and(splatInt(0x007fffff)).plus(splatInt(SQRT_HALF_BITS)));
  x.set(mantissa.bits());
}

/**
 * ln x = e · ln 2 + ln m with x = m · 2ᵉ, m between √½ and √2, and with s = (m − 1) / (m + 1)
 * ln m = 2 s (1 + s²/3 + s⁴/5 + …), exact to 2e-9 with five terms. Relative error below 2e-7.
 */
export function logarithm(f: FunctionBuilder, x: Local<Floats>): void {
  const { splat } = f.constants;
  const input = f.floatsLike(x, x);
  const exponent = f.floatsLike(x);
  const square = f.floatsLike(x);
  binaryExponent(f, x, exponent);
  x.set(x.minus(splat(1)).dividedBy(x.plus(splat(1))));
  square.set(x.times(x));
  square.set(polynomial(f, square, [2, 2 / 3, 2 / 5, 2 / 7, 2 / 9]).times(x));
  square.set(square.plus(exponent.times(splat(LN2_LOW))));
  x.set(f.multiplyAdd(exponent, splat(LN2_HIGH), square));
  x.set(input.equals(splat(Number.POSITIVE_INFINITY)).select(input, x));
  x.set(input.equals(splat(0)).select(splat(Number.NEGATIVE_INFINITY), x));
  // Negative numbers and NaN.
  x.set(input.atLeast(splat(0)).select(x, splat(Number.NaN)));
}

const SQRT_HALF_BITS = 0x3f3504f3;

/**
 * σ(x) = 1 / (1 + e⁻ˣ), and eˣ / (1 + eˣ) for x < 0, where e⁻ˣ might overflow.
 *
 * @param small added to x without rounding the sum; it is changed
 * @returns 1 − σ(x) = σ(−x), with all its digits also where σ(x) is 1
 */
export function logistic(
  f: FunctionBuilder,
  x: Local<Floats>,
  small?: Local<Floats>,
): Local<Floats> {
  const { splat } = f.constants;
  const isNegative = f.intsLike(x, x.lessThan(splat(0)));
  x.set(x.abs().negated());
  small?.set(isNegative.select(small, small.negated()));
  exponential(f, x, small);
  const larger = f.floatsLike(x, splat(1).dividedBy(x.plus(splat(1))));
  x.set(x.times(larger));
  const rest = f.floatsLike(x, isNegative.select(larger, x));
  x.set(isNegative.select(x, larger));
  return rest;
}

/** σ′(x) = σ(x) σ(−x) = u / (1 + u)² with u = e^−|x|. */
export function logisticSlope(f: FunctionBuilder, x: Local<Floats>): void {
  x.set(x.abs().negated());
  exponential(f, x);
  const sum = f.floatsLike(x, x.plus(f.constants.splat(1)));
  x.set(x.dividedBy(sum.times(sum)));
}

/**
 * tanh x = 1 − 2 / (1 + e²ˣ) for |x| ≥ 0.35, and below, where that would cancel, the Taylor series
 * up to x¹¹. Relative error below 3e-7.
 */
export function hyperbolicTangent(f: FunctionBuilder, x: Local<Floats>): void {
  const { splat } = f.constants;
  const input = f.floatsLike(x, x);
  const series = f.floatsLike(x);
  const square = f.floatsLike(x, x.times(x));
  series.set(
    polynomial(f, square, [1, -1 / 3, 2 / 15, -17 / 315, 62 / 2835, -1382 / 155925]).times(x),
  );
  x.set(x.abs().times(splat(2)));
  exponential(f, x);
  x.set(splat(1).minus(splat(2).dividedBy(x.plus(splat(1)))));
  x.set(input.lessThan(splat(0)).select(x.negated(), x));
  x.set(input.abs().lessThan(splat(0.35)).select(series, x));
}

/** |x| beyond which Φ(−|x|) and its density are 0 as float32. */
const GAUSSIAN_REACH = 20;

/** The upper 12 of 24 bits: products of two such halves are exact. */
function upperHalf(f: FunctionBuilder, x: Floats): Floats {
  return x.bits().and(f.constants.splatInt(~0xfff)).bits();
}

/** What rounding took off a product: a · b − `product`. */
export function roundedOff(
  f: FunctionBuilder,
  a: Local<Floats>,
  b: Local<Floats>,
  product: Local<Floats>,
): Floats {
  if (f.features.fma) return f.multiplyAdd(a, b, product.negated());
  const [a1, b1] = [a, b].map((x) => f.floatsLike(x, upperHalf(f, x)));
  const [a2, b2] = [f.floatsLike(a, a.minus(a1)), f.floatsLike(b, b.minus(b1))];
  return a1.times(b1).minus(product).plus(a1.times(b2)).plus(a2.times(b1)).plus(a2.times(b2));
}

/**
 * Splits Φ(−|x|) = r · e^(−x²/2) into both factors; the second replaces `x`. With s = |x| / (|x| + 2) in
 * [0, 1), r = Q(s) / (|x| + 2), and Q changes little. Q is fitted to ½ (|x| + 2) erfcx(|x| / √2) by
 * Lawson's iteration for |x| ≤ 13.2, where Φ(−|x|) falls below the normal numbers: relative error 2.1e-8.
 *
 * @returns r
 */
export function gaussianTail(f: FunctionBuilder, x: Local<Floats>): Local<Floats> {
  const { splat } = f.constants;
  const size = f.floatsLike(x, x.abs().min(splat(GAUSSIAN_REACH)));
  const width = f.floatsLike(x, splat(1).dividedBy(size.plus(splat(2))));
  const s = f.floatsLike(x, size.times(width));
  const ratio = f.floatsLike(x, polynomial(f, s, TAIL_COEFFICIENTS).times(width));
  // −x²/2 in two parts, of which the large one is exact.
  x.set(upperHalf(f, size));
  const small = f.floatsLike(x, size.minus(x).times(size.plus(x)).times(splat(-0.5)));
  x.set(x.times(x).times(splat(-0.5)));
  exponential(f, x, small);
  return ratio;
}

const TAIL_COEFFICIENTS = [
  1, -0.595765877, -0.191700418, 0.0878107026, 0.0821547202, 0.15842928, -0.348968398, 0.588483326,
  -0.671122862, 0.356284004, -0.0666374628,
];

/** Φ(x), the distribution function of the normal distribution. */
export function normalDistribution(f: FunctionBuilder, x: Local<Floats>): void {
  const isNegative = f.intsLike(x, x.lessThan(f.constants.splat(0)));
  const ratio = gaussianTail(f, x);
  x.set(x.times(ratio));
  x.set(isNegative.select(x, f.constants.splat(1).minus(x)));
}

/** Coefficients of x²ᵏ in erf x / x = 2/√π Σ (−x²)ᵏ / (k! (2k + 1)). */
const ERROR_SERIES = [1, 1, 2, 6, 24, 120, 720, 5040].map(
  (factorial, k) => ((k % 2 === 0 ? 2 : -2) / Math.sqrt(Math.PI) / factorial) * (1 / (2 * k + 1)),
);

/**
 * erf x: for |x| < ½ the Taylor series up to x¹⁵, exact to 1e-10, and else 1 − 2 Φ(−|x| √2) with the sign
 * of x.
 */
export function errorFunction(f: FunctionBuilder, x: Local<Floats>): void {
  const { splat } = f.constants;
  const input = f.floatsLike(x, x);
  const square = f.floatsLike(x, x.times(x));
  const series = f.floatsLike(x, polynomial(f, square, ERROR_SERIES).times(x));
  x.set(x.times(splat(Math.SQRT2)));
  const ratio = gaussianTail(f, x);
  x.set(splat(1).minus(x.times(ratio).times(splat(2))));
  x.set(input.lessThan(splat(0)).select(x.negated(), x));
  x.set(input.abs().lessThan(splat(0.5)).select(series, x));
}

/** |x| beyond which e^(−x²) is 0 as float32. */
const BELL_REACH = 11;

/** e^(−x²), with x² in two parts, of which the large one is exact. */
export function bell(f: FunctionBuilder, x: Local<Floats>): void {
  const { splat } = f.constants;
  const size = f.floatsLike(x, x.abs().min(splat(BELL_REACH)));
  x.set(upperHalf(f, size));
  const small = f.floatsLike(x, x.minus(size).times(size.plus(x)));
  x.set(x.times(x).negated());
  exponential(f, x, small);
}
