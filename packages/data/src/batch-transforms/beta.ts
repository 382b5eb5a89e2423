import type { Generator } from '@firelight/tensor';

/**
 * One number of the gamma distribution with shape `alpha` and scale 1.
 *
 * @see Marsaglia and Tsang, "A simple method for generating gamma variables", 2000
 */
function gamma(generator: Generator, alpha: number): number {
  // Below 1 the method needs a shape higher by one, and the result a power of a uniform number.
  if (alpha < 1) {
    const boost = (1 - generator.uniform(1)[0]) ** (1 / alpha);
    return gamma(generator, alpha + 1) * boost;
  }
  const d = alpha - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const [x] = generator.normal(1);
    const v = (1 + c * x) ** 3;
    const u = 1 - generator.uniform(1)[0];
    if (v > 0 && Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** One number of the distribution Beta(alpha, alpha), within 0 to 1. */
export function drawBeta(generator: Generator, alpha: number): number {
  const a = gamma(generator, alpha);
  const b = gamma(generator, alpha);
  // Very small shapes can give two zeros; there the distribution is a coin.
  return a + b > 0 ? a / (a + b) : generator.integer(2);
}
