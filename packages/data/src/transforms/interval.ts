import { type Generator, ValueError } from '@firelight/tensor';
import { describeValue } from '@firelight/tensor/extend';

/** Two ends of an interval. */
export type Interval = readonly [low: number, high: number];

/** Whether a value is two numbers of which the first is not the larger one. */
export function isInterval(value: unknown): value is Interval {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [low, high] = value as unknown[];
  return typeof low === 'number' && typeof high === 'number' && low <= high;
}

/** Numbers as messages show them, or whatever stands in their place. */
export function describeNumbers(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(describeValue).join(', ')}]` : describeValue(value);
}

/**
 * An option that is an interval, or one number `x` for the interval around `centre`.
 *
 * @throws ValueError unless least ≤ low ≤ high ≤ most
 */
export function toInterval(
  name: string,
  option: number | Interval,
  { centre, least, most }: { centre: number; least: number; most: number },
): Interval {
  const interval =
    typeof option === 'number' ? [Math.max(centre - option, least), centre + option] : option;
  const isNegative = typeof option === 'number' && !(option >= 0);
  if (isNegative || !isInterval(interval) || interval[0] < least || interval[1] > most) {
    throw new ValueError(
      `${name} must be a number ≥ 0 or [low, high] within ${least} to ${most}, ` +
        `got ${describeNumbers(option)}`,
    );
  }
  return [interval[0], interval[1]];
}

/** A uniformly random number of the interval. */
export function drawFrom(generator: Generator, [low, high]: Interval): number {
  return generator.uniform(1, { low, high })[0];
}
