import { type Generator, ValueError } from '@firelight/tensor';
import { describeValue } from '@firelight/tensor/extend';

/** Two ends of an interval. */
export type Range = readonly [low: number, high: number];

/** Whether a value is two numbers of which the first is not the larger one. */
export function isRange(value: unknown): value is Range {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [low, high] = value as unknown[];
  return typeof low === 'number' && typeof high === 'number' && low <= high;
}

/** A range as messages show it, or whatever stands in its place. */
export function describeRange(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(describeValue).join(', ')}]` : describeValue(value);
}

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
  const range =
    typeof option === 'number' ? [Math.max(centre - option, least), centre + option] : option;
  const isNegative = typeof option === 'number' && !(option >= 0);
  if (isNegative || !isRange(range) || range[0] < least || range[1] > most) {
    throw new ValueError(
      `${name} must be a number ≥ 0 or [low, high] within ${least} to ${most}, ` +
        `got ${describeRange(option)}`,
    );
  }
  return [range[0], range[1]];
}

/** A uniformly random number of the interval. */
export function drawFrom(generator: Generator, [low, high]: Range): number {
  return generator.uniform(1, { low, high })[0];
}
