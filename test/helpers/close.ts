import type { NestedArray, Tensor } from '@firelight/tensor';
import { expect } from 'vitest';
import { relativeError } from './relative-error.ts';

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
