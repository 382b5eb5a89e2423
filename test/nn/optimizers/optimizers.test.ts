import { readFileSync } from 'node:fs';
import {
  Adam,
  AdamW,
  Linear,
  Momentum,
  type Optimizer,
  RMSProp,
  SGD,
  type StateDict,
} from '@firelight/nn';
import { Generator, memory, type Tensor, tensor, tidy } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const OPTIMIZERS = { SGD, Adam, AdamW, RMSProp } as const;
type Name = keyof typeof OPTIMIZERS;

interface Fixture {
  readonly start: number[];
  readonly cases: { name: Name; options: { learningRate: number }; weights: number[][] }[];
}
const fixture: Fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/optimizers/expected.json', import.meta.url), 'utf8'),
);

const parameter = (values: ArrayLike<number>): Tensor =>
  tensor(Float64Array.from(values), { requiresGrad: true });
const setGrad = (p: Tensor, values: ArrayLike<number>): void => {
  p.grad = tensor(Float64Array.from(values), { shape: p.shape });
};

describe.each(
  fixture.cases.map((each) => [each.name, JSON.stringify(each.options), each] as const),
)('%s with %s', (name, _, { options, weights }) => {
  test('takes the steps of its formula', () => {
    const w = parameter(fixture.start);
    const optimizer = new OPTIMIZERS[name]([w], options);
    for (const expected of weights) {
      setGrad(
        w,
        w.data.map((value) => value ** 3 - 1),
      );
      optimizer.step();
      // Learning rates are float32, as MindSpore's.
      Array.from(w.data).forEach((value, i) => {
        expect(Math.abs(value - expected[i])).toBeLessThan(1e-6);
      });
    }
  });

  test('goes on exactly from its state, and leaves nothing behind', () => {
    const build = () => {
      const network = new Linear({ inFeatures: 2, outFeatures: 2, generator: new Generator(0) });
      const optimizer: Optimizer = new OPTIMIZERS[name](network.parameters(), options);
      const step = (): void => {
        network.parameters().forEach((p) => {
          setGrad(p, p.data.map(Math.cos));
        });
        optimizer.step();
      };
      return { network, optimizer, step };
    };
    const [whole, first, second] = [build(), build(), build()];
    for (let i = 0; i < 4; i++) whole.step();
    first.step();
    first.step();
    second.network.loadStateDict(first.network.stateDict());
    second.optimizer.loadStateDict(first.optimizer.stateDict(first.network), second.network);
    second.optimizer.restoreGlobalStep(2);
    second.step();
    second.step();
    const values = (state: StateDict) => Object.values(state).map((each) => each.toArray());
    expect(values(second.network.stateDict())).toEqual(values(whole.network.stateDict()));

    const before = memory().tensors;
    tidy(() => {
      for (let i = 0; i < 5; i++) whole.step();
    });
    expect(memory().tensors - before).toBeLessThanOrEqual(2 * 5); // the gradients of five steps
  });
});

test('SGD without more is Momentum with none', () =>
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 1 }),
      (values) => {
        const [a, b] = [parameter(values), parameter(values)];
        const settings = { learningRate: 0.25, weightDecay: 0.125, lossScale: 8 };
        const optimizers = [
          new SGD([a], settings),
          new Momentum([b], { ...settings, momentum: 0 }),
        ];
        for (const p of [a, b]) setGrad(p, values);
        for (const optimizer of optimizers) optimizer.step();
        Array.from(a.data).forEach((value, i) => {
          expect(value).toBeCloseTo(b.data[i], 10);
        });
      },
    ),
  ));

const single = (values: readonly number[]): Tensor =>
  tensor(Float32Array.from(values), { shape: [2, 3], requiresGrad: true });
const [VALUES, GRADIENTS] = [[0.1, -2, 3, 0.7, 5, -6], new Generator(4).normal(6 * 4)];
/** What each of some steps makes of a parameter of the dtype. */
const trajectory = (p: Tensor, optimizer: Optimizer): number[][] =>
  [0, 1, 2, 3].map((step) => {
    p.grad = tensor(GRADIENTS.slice(6 * step, 6 * step + 6), { shape: p.shape, dtype: p.dtype });
    optimizer.step();
    return Array.from(p.data);
  });

test.each([true, false])(
  'SGD and Momentum take the same steps, to the bit; nesterov %o',
  (nesterov) => {
    for (const gradCentralization of [true, false]) {
      const [a, b] = [single(VALUES), single(VALUES)];
      const options = {
        learningRate: 0.1,
        momentum: 0.9,
        weightDecay: 0.3,
        lossScale: 4,
        nesterov,
      };
      const groupOf = (p: Tensor) => [{ parameters: [p], gradCentralization }];
      const steps = trajectory(a, new SGD(groupOf(a), options));
      expect(steps).toEqual(trajectory(b, new Momentum(groupOf(b), options)));
    }
  },
);

test('SGD dampens float32, of which a backend of vectors computes the steps, as float64', () => {
  const options = { learningRate: 0.1, momentum: 0.9, dampening: 0.75, weightDecay: 0.3 };
  const [narrow, wide] = [
    single(VALUES),
    tensor(Float64Array.from(VALUES), { shape: [2, 3], requiresGrad: true }),
  ];
  const steps = trajectory(narrow, new SGD([narrow], options)).flat();
  const expected = trajectory(wide, new SGD([wide], options)).flat();
  for (const [i, value] of steps.entries()) expect(value).toBeCloseTo(expected[i], 5);
});

test("Adam's first step is the learning rate, whatever the gradient", () =>
  fc.assert(
    fc.property(
      fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
      fc.boolean(),
      (size, isNegative) => {
        const w = parameter([1]);
        setGrad(w, [isNegative ? -size : size]);
        new Adam([w], { learningRate: 0.5 }).step();
        expect(w.data[0]).toBeCloseTo(isNegative ? 1.5 : 0.5, 4);
      },
    ),
  ));

test('numbers out of range are refused', () => {
  const w = [parameter([1])];
  const learningRate = 0.1;
  expect(() => new SGD(w, { learningRate, momentum: -1 })).toThrow(/SGD: momentum must be .* -1/);
  expect(() => new SGD(w, { learningRate, dampening: -1 })).toThrow(/dampening must be/);
  expect(() => new SGD(w, { learningRate, nesterov: true })).toThrow(
    /nesterov needs momentum > 0 and dampening 0, got 0 and 0/,
  );
  expect(() => new Adam(w, { learningRate, beta1: 1 })).toThrow(
    /Adam: beta1 must be in \[0, 1\), got 1/,
  );
  expect(() => new AdamW(w, { learningRate, beta2: -1 })).toThrow(/AdamW: beta2 must be in/);
  expect(() => new Adam(w, { learningRate, eps: -1 })).toThrow(/Adam: eps must be a number ≥ 0/);
  expect(() => new RMSProp(w, { learningRate, alpha: 1 })).toThrow(
    /alpha must be in \[0, 1\), got 1/,
  );
  expect(() => new RMSProp(w, { learningRate, eps: -1 })).toThrow(/RMSProp: eps must be/);
  expect(() => new RMSProp(w, { learningRate, momentum: -1 })).toThrow(/RMSProp: momentum must be/);
});
