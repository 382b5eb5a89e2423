import type { NestedArray, Tensor } from '@firelight/tensor';
import { expect } from 'vitest';

/** Root of the mean square, the size that errors are measured by. */
function rms(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return Math.sqrt(sum / Math.max(1, values.length));
}

/** The largest difference of two arrays as a share of the RMS of the second. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    // NaN must not pass as small.
    if (!(difference <= largest)) largest = difference;
  }
  const scale = rms(expected);
  return largest === 0 ? 0 : largest / (scale === 0 ? 1 : scale);
}

/** Expects a shape, and elements within `tolerance` of the RMS of those expected. */
export function expectClose(actual: Tensor, expected: Tensor, tolerance = 1e-5): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(relativeError(actual.data, expected.data)).toBeLessThanOrEqual(tolerance);
}

/** Expects nested arrays, each number to about float32 precision. */
export function expectValues(actual: Tensor, expected: NestedArray, digits = 5): void {
  const round = (value: NestedArray): NestedArray =>
    Array.isArray(value) ? value.map(round) : typeof value === 'number' ? rounded(value) : value;
  const rounded = (value: number): number => Number(value.toFixed(digits)) + 0;
  expect(round(actual.toArray())).toEqual(round(expected));
}
