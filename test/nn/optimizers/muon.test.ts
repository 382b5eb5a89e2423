import { readFileSync } from 'node:fs';
import { Linear, Muon, type MuonOptions } from '@firelight/nn';
import {
  Generator,
  matmul,
  memory,
  reshape,
  type Tensor,
  tensor,
  tidy,
  transpose,
  ValueError,
  zeros,
} from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { symmetricEigen } from '../../../packages/nn/src/models/symmetric-eigen.ts';

interface Case {
  readonly shape: number[];
  readonly options: MuonOptions;
  readonly start: number[];
  readonly weights: number[][];
}
const cases: Case[] = JSON.parse(
  readFileSync(new URL('../../fixtures/optimizers/muon.json', import.meta.url), 'utf8'),
);

const EXACT = { learningRate: 1, momentum: 0 } as const;

const weightOf = (values: ArrayLike<number>, shape: readonly number[]): Tensor =>
  tensor(Float64Array.from(values), { shape, requiresGrad: true });

/** What one step from 0 with a gradient takes away, with learning rate 1. */
function stepFor(gradient: Tensor, options: MuonOptions = EXACT): Tensor {
  const weight = zeros(gradient.shape, { dtype: gradient.dtype, requiresGrad: true });
  weight.grad = gradient.detach();
  new Muon([weight], options).step();
  return tensor(
    weight.data.map((value) => -value),
    { shape: weight.shape },
  );
}

const singularValues = (matrix: Tensor): number[] => {
  const [rows, columns] = matrix.shape;
  const gram = matmul(matrix, matrix, rows > columns ? { transposeA: true } : { transposeB: true });
  const pairs = symmetricEigen(gram.toArray() as number[][]);
  return pairs.map(({ value }) => Math.sqrt(Math.max(value, 0)));
};

const normal = (shape: readonly number[], seed: number): Tensor => {
  const size = shape.reduce((product, length) => product * length, 1);
  return tensor(Float64Array.from(new Generator(seed).normal(size)), { shape });
};

test.each(cases.map((each) => [each.shape, JSON.stringify(each.options), each] as const))(
  'a weight %o with %s takes the steps of its formula',
  (_, __, { shape, options, start, weights }) => {
    const w = weightOf(start, shape);
    const optimizer = new Muon([w], options);
    for (const expected of weights) {
      w.grad = tensor(
        w.data.map((value, i) => Math.sin(5 * value + i)),
        { shape },
      );
      optimizer.step();
      Array.from(w.data).forEach((value, i) => {
        expect(Math.abs(value - expected[i])).toBeLessThan(1e-10);
      });
    }
  },
);

describe('a step of Muon', () => {
  const sides = fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }));
  const seed = fc.nat(1000000);

  test('is about as large in all directions', () =>
    fc.assert(
      fc.property(sides, seed, ([rows, columns], from) => {
        const gradient = normal([rows, columns], from);
        const before = singularValues(gradient);
        const scale = Math.sqrt(Math.max(1, rows / columns));
        singularValues(stepFor(gradient)).forEach((value, i) => {
          expect(value / scale).toBeLessThan(1.21);
          if (before[i] > 0.002 * Math.hypot(...before)) {
            expect(value / scale).toBeGreaterThan(0.68);
          }
        });
      }),
    ));

  test('does not depend on the size of the gradient, nor on a lossScale', () =>
    fc.assert(
      fc.property(
        sides,
        seed,
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        (shape, from, size) => {
          const gradient = normal(shape, from);
          const options = { ...EXACT, eps: 0 };
          const expected = stepFor(gradient, options);
          const larger = tensor(
            gradient.data.map((value) => size * value),
            { shape },
          );
          for (const other of [
            stepFor(larger, options),
            stepFor(larger, { ...options, lossScale: size }),
          ]) {
            other.data.forEach((value, i) => {
              expect(value).toBeCloseTo(expected.data[i], 9);
            });
          }
        },
      ),
    ));

  test('of the transposed gradient is transposed, but for the factor of tall matrices', () =>
    fc.assert(
      fc.property(sides, seed, ([rows, columns], from) => {
        const gradient = normal([rows, columns], from);
        const step = transpose(stepFor(gradient)).data;
        const factor = Math.sqrt(rows / columns);
        stepFor(transpose(gradient)).data.forEach((value, i) => {
          expect(value * factor).toBeCloseTo(step[i], 9);
        });
      }),
    ));

  test('takes a convolution as the matrix of its filters', () => {
    const gradient = normal([6, 2, 3, 3], 1);
    const [a, b] = [stepFor(gradient), stepFor(reshape(gradient, [6, 18]))];
    expect([...a.data]).toEqual([...b.data]);
  });

  test('of float32 is near that of float64, also at sizes of layers', () => {
    for (const shape of [
      [64, 3, 3, 3],
      [48, 200],
      [200, 48],
    ]) {
      const wide = normal(shape, 2);
      const narrow = stepFor(tensor(Float32Array.from(wide.data), { shape })).data;
      const differences = stepFor(wide).data.map((value, i) => Math.abs(narrow[i] - value));
      expect(Math.max(...differences)).toBeLessThan(2e-4);
    }
  });

  test('stays where there is no gradient, or nothing at all', () => {
    expect([...stepFor(zeros([2, 3])).data]).toEqual([-0, -0, -0, -0, -0, -0]);
    expect(stepFor(zeros([0, 3])).shape).toEqual([0, 3]);
    expect(stepFor(zeros([3, 0])).shape).toEqual([3, 0]);
  });
});

test('memory is flat', () => {
  const layers = [0, 1, 2].map(() => new Linear({ inFeatures: 40, outFeatures: 30, bias: false }));
  const parameters = layers.flatMap((layer) => layer.parameters());
  for (const each of parameters) each.grad = each.detach();
  const optimizer = new Muon(parameters, { learningRate: 0.02 });
  optimizer.step();
  const before = memory();
  tidy(() => {
    for (let i = 0; i < 5; i++) optimizer.step();
    expect(memory().tensors).toBe(before.tensors);
  });
  expect(memory().tensors).toBe(before.tensors);
});

test('refuses numbers out of range, and what is no matrix', () => {
  const w = [weightOf([1, 2], [1, 2])];
  const learningRate = 0.1;
  const wrong: [object, RegExp][] = [
    [{ momentum: 1 }, /^Muon: momentum must be in \[0, 1\), got 1$/],
    [{ nesterov: 1 }, /^Muon: nesterov must be true or false, got 1$/],
    [{ nsSteps: 0 }, /^Muon: nsSteps must be an integer ≥ 1, got 0$/],
    [{ eps: -1 }, /^Muon: eps must be a number ≥ 0, got -1$/],
    [{ weightDecay: -1 }, /^Muon: weightDecay must be/],
  ];
  for (const [options, message] of wrong) {
    expect(() => new Muon(w, { learningRate, ...options })).toThrow(ValueError);
    expect(() => new Muon(w, { learningRate, ...options })).toThrow(message);
  }
  expect(() => new Muon([...w, weightOf([1, 2], [2])], { learningRate })).toThrow(
    'Muon: a parameter of shape [2] is no matrix; give those with fewer than two axes to another',
  );
});
