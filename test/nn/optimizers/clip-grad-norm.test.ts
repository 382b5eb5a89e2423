import { clipGradNorm } from '@firelight/nn';
import { Generator, type Tensor, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { expect, test } from 'vitest';

function parametersWith(
  gradients: readonly number[][],
  Elements: typeof Float32Array | typeof Float64Array = Float32Array,
): Tensor[] {
  return gradients.map((gradient) => {
    const parameter = tensor(new Elements(gradient.length), { requiresGrad: true });
    parameter.grad = tensor(Elements.from(gradient));
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

/** Sizes over the whole range of a dtype, denormal numbers too. */
const exponents = (least: number, most: number) =>
  fc.tuple(
    fc.array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: 1, maxLength: 9 }),
    fc.integer({ min: least, max: most }),
    fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
  );

test.each([
  ['float32', Float32Array, exponents(-37, 38)],
  ['float64', Float64Array, exponents(-320, 307)],
] as const)(
  'neither overflows nor underflows where the elements of %s do not',
  (_, Elements, sizes) =>
    fc.assert(
      fc.property(sizes, fc.integer({ min: -60, max: -1 }), ([values, exponent, signs], share) => {
        const gradient = Array.from(
          Elements.from(values.map((x, i) => x * Number(`1e${exponent}`) * (signs[i] ? 1 : -1))),
        );
        const largest = Math.max(...gradient.map(Math.abs));
        const expected = largest * Math.hypot(...gradient.map((x) => x / largest));
        const parameters = parametersWith([gradient.slice(0, 4), gradient.slice(4)], Elements);
        expect(Math.abs(clipGradNorm(parameters, Number.MAX_VALUE) / expected - 1)).toBeLessThan(
          1e-12,
        );
        expect(gradientsOf(parameters)).toEqual(gradient);
        const bound = expected * 10 ** share;
        fc.pre(bound > (Elements === Float32Array ? 1e-36 : 1e-300));
        clipGradNorm(parameters, bound);
        const after = Math.hypot(...gradientsOf(parameters).map((x) => x / bound));
        expect(Math.abs(after - 1)).toBeLessThan(1e-5);
      }),
    ),
);

test('is the root of the squares of many numbers', () => {
  const count = 1_000_003;
  const parameters = parametersWith([new Array(count).fill(1e20), new Array(3).fill(1e20)]);
  const expected = Math.fround(1e20) * Math.sqrt(count + 3);
  expect(Math.abs(clipGradNorm(parameters, 1) / expected - 1)).toBeLessThan(1e-10);
  const tiny = parametersWith([new Array(count).fill(1e-30)]);
  expect(clipGradNorm(tiny, 1) / (Math.fround(1e-30) * Math.sqrt(count))).toBeCloseTo(1, 10);
});

test('takes the scale of the loss out of norm and bound', () =>
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 1 }),
      fc.constantFrom(0.5, 2, 1024),
      fc.double({ min: 0.1, max: 20, noNaN: true }),
      (gradient, lossScale, maxNorm) => {
        const [plain, scaled] = [
          parametersWith([gradient], Float64Array),
          parametersWith([gradient.map((x) => x * lossScale)], Float64Array),
        ];
        const norm = clipGradNorm(plain, maxNorm);
        expect(clipGradNorm(scaled, maxNorm, { lossScale })).toBeCloseTo(norm, 9);
        gradientsOf(scaled).forEach((value, i) => {
          expect(value / lossScale).toBeCloseTo(gradientsOf(plain)[i], 9);
        });
      },
    ),
  ));

test('leaves gradients that are not finite, and passes over parameters without one', () => {
  const parameters = parametersWith([[Number.POSITIVE_INFINITY, 1], [2]]);
  expect(clipGradNorm(parameters, 1)).toBe(Number.POSITIVE_INFINITY);
  expect(gradientsOf(parameters)).toEqual([Number.POSITIVE_INFINITY, 1, 2]);
  expect(clipGradNorm([tensor([1], { requiresGrad: true })], 1)).toBe(0);
  expect(clipGradNorm(parametersWith([[Number.NaN, Number.POSITIVE_INFINITY]]), 1)).toBeNaN();
  expect(clipGradNorm(parametersWith([[0, 0]]), 1)).toBe(0);
  expect(() => clipGradNorm(parameters, 0)).toThrow(/maxNorm must be > 0, got 0/);
  expect(() => clipGradNorm(parameters, 1, { lossScale: -1 })).toThrow(/lossScale must be > 0/);
});
