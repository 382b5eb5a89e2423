import { ConstrainedOptimizer, Linear, prune, SGD, shareWeights } from '@firelight/nn';
import { Generator, mul, sum, tensor, tidy } from '@firelight/tensor';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kMeans, nearestOf } from '../../../packages/nn/src/compression/k-means.ts';

test('k-means finds groups of numbers', () => {
  expect(Array.from(kMeans([1, 1.5, 2, 10, 11, 30], 3))).toEqual([1.5, 10.5, 30]);
  expect(Array.from(kMeans([5, 5, 5], 4))).toEqual([5]);
  expect(Array.from(kMeans([1, 2, 9], 1))).toEqual([4]);
  expect(Array.from(kMeans([], 3))).toEqual([]);
});

test('each centroid is the mean of the values that are nearest to it', () => {
  const values = fc.array(
    fc.integer({ min: -999, max: 999 }).map((n) => n / 64),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 20 }), (numbers, k) => {
      const centroids = kMeans(numbers, k);
      const codes = nearestOf(numbers, centroids);
      expect(centroids.length).toBeLessThanOrEqual(k);
      centroids.forEach((centroid, code) => {
        const own = numbers.filter((_, i) => codes[i] === code);
        expect(own.length).toBeGreaterThan(0);
        expect(own.reduce((total, value) => total + value, 0) / own.length).toBeCloseTo(
          centroid,
          9,
        );
      });
      numbers.forEach((number, i) => {
        const distances = centroids.map((centroid) => Math.abs(centroid - number));
        expect(distances[codes[i]]).toBeLessThanOrEqual(Math.min(...distances) + 1e-12);
      });
    }),
  );
});

function layerOf(weights: readonly number[]): Linear {
  const network = new Linear({
    inFeatures: weights.length,
    outFeatures: 1,
    generator: new Generator(1),
  });
  network.loadStateDict({ weight: tensor([weights]), bias: tensor([0]) });
  return network;
}

test('a parameter has at most 2^bits values, one of them 0 where weights were pruned', () => {
  const generator = new Generator(7);
  const network = layerOf([...generator.uniform(500)].map((value) => value - 0.5));
  prune(network, { density: 0.4 });
  shareWeights(network, { bits: 3 });
  const { data } = network.weight;
  expect(new Set(data).size).toBe(8);
  expect(data.filter((value) => value === 0).length).toBe(300);
  shareWeights(network, { bits: () => 1, parameters: 'weight' });
  expect(new Set(network.weight.data).size).toBe(2);
});

test('a step changes shared values by the sum of the gradients, and zeros not at all', () => {
  const network = layerOf([1, 1.125, 5, 0, 4.875, 1, 0]);
  const shared = shareWeights(network, { bits: 2 });
  expect(network.weight.toArray()).toEqual([[1, 1.125, 4.9375, 0, 4.9375, 1, 0]]);
  const optimizer = new ConstrainedOptimizer(
    new SGD(network.parameters(), { learningRate: 0.5 }),
    shared,
  );
  const x = tensor([[1, 2, 4, 8, 16, 32, 64]]);
  tidy(() => {
    sum(mul(network.forward(x), 1)).backward();
    optimizer.step();
  });
  const [a, b, c] = [1 - 33 / 2, 1.125 - 2 / 2, 4.9375 - 20 / 2];
  expect(network.weight.toArray()).toEqual([[a, b, c, 0, c, a, 0]]);
});

test('errors say what is wrong', () => {
  const network = layerOf([1, 2, 3]);
  for (const bits of [0, 9, 2.5, '4' as never]) {
    expect(() => shareWeights(network, { bits })).toThrow(
      'shareWeights: bits of weight must be an integer from 1 to 8',
    );
  }
  expect(() => shareWeights(network, { bits: 2, parameters: /^w$/ })).toThrow(
    'shareWeights: no parameter is called /^w$/',
  );
});
