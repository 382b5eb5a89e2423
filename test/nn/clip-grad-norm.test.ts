import { clipGradNorm } from '@firelight/nn';
import { Generator, type Tensor, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { expect, test } from 'vitest';

function parametersWith(gradients: readonly number[][]): Tensor[] {
  return gradients.map((gradient) => {
    const parameter = tensor(new Float32Array(gradient.length), { requiresGrad: true });
    parameter.grad = tensor(Float32Array.from(gradient));
    return parameter;
  });
}

const gradientsOf = (parameters: readonly Tensor[]): number[] =>
  parameters.flatMap(({ grad }) => Array.from(grad?.data ?? []));

test('brings the common norm down to the bound, keeps directions, and leaves smaller ones alone', () =>
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0.1, max: 20, noNaN: true }), (seed, maxNorm) => {
      const generator = new Generator(seed);
      const gradients = [Array.from(generator.normal(5)), Array.from(generator.normal(3))];
      const before = gradients.flat().map(Math.fround);
      const norm = Math.hypot(...before);
      const parameters = parametersWith(gradients);
      expect(clipGradNorm(parameters, maxNorm)).toBeCloseTo(norm, 5);
      const factor = Math.min(1, maxNorm / norm);
      gradientsOf(parameters).forEach((value, i) => {
        expect(value).toBeCloseTo(before[i] * factor, 5);
      });
    }),
  ));

test('leaves gradients that are not finite, and passes over parameters without one', () => {
  const parameters = parametersWith([[Number.POSITIVE_INFINITY, 1], [2]]);
  expect(clipGradNorm(parameters, 1)).toBe(Number.POSITIVE_INFINITY);
  expect(gradientsOf(parameters)).toEqual([Number.POSITIVE_INFINITY, 1, 2]);
  expect(clipGradNorm([tensor([1], { requiresGrad: true })], 1)).toBe(0);
  expect(() => clipGradNorm(parameters, 0)).toThrow(/maxNorm must be > 0, got 0/);
});
