import { describe, expect, test } from 'vitest';
import { editDistance, nearestOption } from '../../../packages/tensor/src/core/nearest-names.ts';

test('editDistance counts letters to change, add or leave out', () => {
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('abc', '')).toBe(3);
  expect(editDistance('f*.bias', 'features.bias')).toBe(0);
});

describe('nearestOption', () => {
  const known = ['kernelSize', 'stride', 'padding', 'epsilon', 'axis'];

  test.each([
    ['strides', 'stride'],
    ['Stride', 'stride'],
    ['kernel_size', 'kernelSize'],
    ['kernalSize', 'kernelSize'],
    ['pad', 'padding'],
    ['eps', 'epsilon'],
    ['axes', 'axis'],
  ])('takes %s for %s', (given, meant) => {
    expect(nearestOption(given, known)).toBe(meant);
  });

  test.each(['', '*', 'k', 'dim', 'toString', '__proto__', 'windows'])('leaves %j', (given) => {
    expect(nearestOption(given, known)).toBeNull();
  });

  test('knows nothing where there are no options', () => {
    expect(nearestOption('stride', [])).toBeNull();
  });
});
