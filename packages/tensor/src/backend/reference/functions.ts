/** Scalar functions that `Math` lacks, to float64 precision. */

/** max(0, x), in which NaN stays NaN, and −0 stays −0 other than by `Math.max`. */
export function positivePart(x: number): number {
  if (x < 0) return 0;
  return x;
}

/** −1, 0 or 1; 0 for NaN, as in PyTorch. */
export function signOf(x: number): number {
  return Math.sign(x) || 0;
}

/** a^b by IEEE 754, where JavaScript's `**` has NaN for 1^NaN and (±1)^±∞, which are 1. */
export function power(a: number, b: number): number {
  const isOne = a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY);
  return isOne ? 1 : a ** b;
}

/** 1 / (1 + e^−x), without overflow on either side. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** Density of the standard normal distribution, e^(−x²/2) / √(2π). */
export function gaussianPdf(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

/**
 * Φ(x), the integral of `gaussianPdf` from −∞ to x.
 *
 * Near 0 the series Φ(x) = ½ + φ(x) · (x + x³/3 + x⁵/(3·5) + …); beyond ±3 the tail as the
 * continued fraction 1 − Φ(x) = φ(x) / (x + 1/(x + 2/(x + 3/(x + …)))).
 *
 * @see Abramowitz & Stegun, 26.2.11 and 26.2.14
 */
export function gaussianCdf(x: number): number {
  if (Math.abs(x) > 3) {
    const tail = gaussianPdf(x) / tailFraction(Math.abs(x));
    return x > 0 ? 1 - tail : tail;
  }
  return 0.5 + gaussianPdf(x) * oddSeries(x);
}

/** x + x³/3 + x⁵/(3·5) + … */
function oddSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
    term *= (x * x) / n;
    sum += term;
  }
  return sum;
}

/** erf x = 2/√π ∫₀ˣ e^(−t²) dt = 2 Φ(x √2) − 1, from the series itself near 0. */
export function errorFunction(x: number): number {
  const z = x * Math.SQRT2;
  if (Math.abs(z) <= 3) return 2 * gaussianPdf(z) * oddSeries(z);
  return z > 0 ? 1 - 2 * gaussianCdf(-z) : 2 * gaussianCdf(z) - 1;
}

/** The nearest whole number, of two the even one. */
export function roundHalfToEven(x: number): number {
  const nearest = Math.round(x); // Halves go up.
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

function tailFraction(x: number): number {
  let fraction = x;
  for (let n = 40; n >= 1; n--) fraction = x + n / fraction;
  return fraction;
}
