import { BCEWithLogitsLoss, HuberLoss, L1Loss, MSELoss, type Reduction } from '@firelight/nn';
import { gradCheck, setBackend, sum, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { normal, seeds, shapes } from '../../helpers/arbitraries.ts';

beforeAll(() => setBackend('reference'));
afterAll(() => setBackend('wasm'));

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const losses = [
  ['MSELoss', MSELoss, (p: number, t: number) => (p - t) ** 2],
  ['L1Loss', L1Loss, (p: number, t: number) => Math.abs(p - t)],
  [
    'HuberLoss',
    HuberLoss,
    (p: number, t: number) => {
      const d = Math.abs(p - t);
      return d <= 1 ? 0.5 * d * d : d - 0.5;
    },
  ],
  [
    'BCEWithLogitsLoss',
    BCEWithLogitsLoss,
    (p: number, t: number) => -t * Math.log(sigmoid(p)) - (1 - t) * Math.log(1 - sigmoid(p)),
  ],
] as const;

describe.each(losses)('%s', (name, Loss, formula) => {
  test('is its formula, reduced as told', () =>
    fc.assert(
      fc.property(shapes({ minRank: 1 }), seeds, (shape, seed) => {
        const [prediction, target] = [normal(shape, seed), normal(shape, seed + 1)];
        const expected = Array.from(prediction.data, (p, i) => formula(p, target.data[i]));
        const total = expected.reduce((all, each) => all + each, 0);
        const none = new Loss({ reduction: 'none' }).forward(prediction, target);
        expect(none.shape).toEqual(shape);
        expected.forEach((value, i) => {
          expect(none.data[i]).toBeCloseTo(value, 9);
        });
        const reduced = (reduction: Reduction) =>
          new Loss({ reduction }).forward(prediction, target).item();
        expect(reduced('sum')).toBeCloseTo(total, 8);
        expect(reduced('mean')).toBeCloseTo(total / expected.length, 9);
      }),
    ));

  test('has the gradient of its formula', () =>
    fc.assert(
      fc.property(shapes({ minRank: 1 }), seeds, (shape, seed) => {
        const loss = new Loss({ reduction: 'none' });
        const [prediction, target] = [normal(shape, seed), normal(shape, seed + 1)];
        // Away from the kinks, where one side and the other differ.
        const distances = Array.from(prediction.data, (p, i) => Math.abs(p - target.data[i]));
        fc.pre(distances.every((d) => d > 0.02 && Math.abs(d - 1) > 0.02));
        gradCheck((p) => sum(loss.forward(p, target)), [prediction]);
      }),
      { numRuns: 30 },
    ));

  test('refuses other shapes and reductions', () => {
    const loss = new Loss();
    expect(() => loss.forward(tensor([1, 2]), tensor([1]))).toThrow(
      `${name}: prediction and target need one shape, got [2] and [1]`,
    );
    expect(() => new Loss({ reduction: 'max' as Reduction })).toThrow(
      `${name}: reduction must be 'none', 'mean' or 'sum', got 'max'`,
    );
  });
});

test('Huber takes its width, and BCE does not overflow', () => {
  const huber = new HuberLoss({ delta: 0.5 });
  expect(huber.forward(tensor([2]), tensor([0])).item()).toBeCloseTo(0.5 * (2 - 0.25), 6);
  expect(() => new HuberLoss({ delta: 0 })).toThrow(/delta must be > 0, got 0/);
  const bce = new BCEWithLogitsLoss();
  expect(bce.forward(tensor([1e4]), tensor([0])).item()).toBe(1e4);
  expect(bce.forward(tensor([-1e4]), tensor([0])).item()).toBe(0);
});
