import { type Generator, ValueError } from '@firelight/tensor';

/** Two ends of an interval. */
export type Range = readonly [low: number, high: number];

/**
 * An option that is an interval, or one number `x` for the interval around `centre`.
 *
 * @throws ValueError unless least ≤ low ≤ high ≤ most
 */
export function toRange(
  name: string,
  option: number | Range,
  { centre, least, most }: { centre: number; least: number; most: number },
): Range {
  const [low, high] =
    typeof option === 'number' ? [Math.max(centre - option, least), centre + option] : option;
  const isNegative = typeof option === 'number' && !(option >= 0);
  if (isNegative || !(low >= least && low <= high && high <= most)) {
    const given = typeof option === 'number' ? option : `[${option.join(', ')}]`;
    throw new ValueError(
      `${name} must be a number ≥ 0 or [low, high] within ${least} to ${most}, got ${given}`,
    );
  }
  return [low, high];
}

/** A uniformly random number of the interval. */
export function drawFrom(generator: Generator, [low, high]: Range): number {
  return generator.uniform(1, { low, high })[0];
}
