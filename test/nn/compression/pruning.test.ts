import { ConstrainedOptimizer, Linear, Momentum, prune, SGD, SqueezeNet } from '@firelight/nn';
import { add, Generator, sum, tensor, tidy } from '@firelight/tensor';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const layer = (inFeatures = 4, outFeatures = 3): Linear =>
  new Linear({ inFeatures, outFeatures, generator: new Generator(3) });

test('the smallest weights become 0, of equal ones the last', () => {
  const network = layer(3, 2);
  network.loadStateDict({
    weight: tensor([
      [3, -1, 0.5],
      [-1, 1, -4],
    ]),
    bias: tensor([0.1, 0.2]),
  });
  const pruning = prune(network, { density: 0.5 });
  expect(network.weight.toArray()).toEqual([
    [3, -1, 0],
    [0, 0, -4],
  ]);
  expect(network.bias?.toArray()).toEqual(tensor([0.1, 0.2]).toArray());
  expect(pruning.density).toBe(0.5);
});

test('of n weights round(density · n) are kept, none smaller than one that is not', () => {
  const values = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 40 });
  const share = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }));
  fc.assert(
    fc.property(values, share, (weights, density) => {
      const network = layer(weights.length, 1);
      const bias = tensor([0]);
      network.loadStateDict({ weight: tensor(weights, { shape: [1, weights.length] }), bias });
      const mask = prune(network, { density }).masks.get(network.weight) ?? [];
      const kept = weights.filter((_, i) => mask[i] === 1).map(Math.abs);
      const pruned = weights.filter((_, i) => mask[i] === 0).map(Math.abs);
      expect(kept.length).toBe(Math.round(density * weights.length));
      expect(Math.max(0, ...pruned)).toBeLessThanOrEqual(Math.min(Infinity, ...kept));
      expect(Array.from(network.weight.data)).toEqual(
        weights.map((weight, i) => (mask[i] === 1 ? weight : 0)),
      );
    }),
  );
});

test('what was pruned stays 0 in a training, whatever moved before', () => {
  const network = layer();
  const momentum = new Momentum(network.parameters(), { learningRate: 0.1, momentum: 0.9 });
  const x = tensor([[1, -2, 3, 0.5]]);
  const step = (optimizer: Momentum | ConstrainedOptimizer): void => {
    tidy(() => {
      optimizer.zeroGrad();
      sum(network.forward(x)).backward();
      optimizer.step();
    });
  };
  step(momentum);
  const pruning = prune(network, { density: 0.5 });
  const before = network.weight.toArray();
  const optimizer = new ConstrainedOptimizer(momentum, pruning);
  for (let i = 0; i < 3; i++) step(optimizer);
  const mask = pruning.masks.get(network.weight) as Uint8Array;
  expect(Array.from(network.weight.data, (value) => (value === 0 ? 0 : 1))).toEqual([...mask]);
  expect(network.weight.toArray()).not.toEqual(before);
  expect(optimizer.globalStep).toBe(4);
});

test('a function or a pattern chooses what is pruned', () => {
  const network = new SqueezeNet({ numClasses: 10, generator: new Generator(1) });
  const only3x3 = prune(network, { density: (_, { shape }) => (shape[2] === 3 ? 0.25 : 1) });
  const share = (data: ArrayLike<number>): number =>
    Array.from(data).filter((value) => value !== 0).length / data.length;
  for (const [name, { shape, data }] of network.namedParameters()) {
    if (shape.length > 1) expect(share(data), name).toBeCloseTo(shape[2] === 3 ? 0.25 : 1, 3);
  }
  expect(only3x3.density).toBeGreaterThan(0.25);
  prune(network, { density: 0, parameters: 'final_conv.weight' });
  const last = network.namedParameters().find(([name]) => name === 'final_conv.weight');
  expect(share(last?.[1].data ?? [])).toBe(0);
});

test('errors say what is wrong, and nothing is pruned', () => {
  const network = layer();
  const before = network.weight.toArray();
  expect(() => prune(network, { density: 1.5 })).toThrow(
    'prune: density of weight must be in [0, 1], got 1.5',
  );
  expect(() => prune(network, { density: 0.5, parameters: 'wieght' })).toThrow(
    "prune: no parameter is called 'wieght'; near are 'weight'",
  );
  expect(network.weight.toArray()).toEqual(before);
  const spoiled = layer();
  spoiled.loadStateDict({
    weight: add(spoiled.weight, tensor([Number.NaN, 0, 0, 0])),
    bias: tensor([0, 0, 0]),
  });
  expect(() => prune(spoiled, { density: 0.5 })).toThrow(
    'prune: element 0 of weight must be finite, got NaN',
  );
  const optimizer = new SGD(network.parameters(), { learningRate: 1 });
  expect(
    () => new ConstrainedOptimizer([optimizer] as never, prune(network, { density: 1 })),
  ).toThrow('ConstrainedOptimizer: takes a list of one or more optimizers');
});
