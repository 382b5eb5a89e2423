import { readFileSync } from 'node:fs';
import {
  BCEWithLogitsLoss,
  HuberLoss,
  L1Loss,
  MSELoss,
  SoftmaxCrossEntropyWithLogits,
} from '@firelight/nn';
import { setBackend, tensor } from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const LOSSES = {
  MSELoss,
  L1Loss,
  HuberLoss,
  BCEWithLogitsLoss,
  SoftmaxCrossEntropyWithLogits,
} as const;

/** A number, or the name of one that JSON lacks. */
type Value = number | 'NaN' | 'Infinity' | '-Infinity';

interface Case {
  readonly name: keyof typeof LOSSES;
  readonly options: Record<string, never>;
  readonly target: number[] | number[][];
  readonly x: Value[] | Value[][];
  readonly loss: Value;
  readonly gradient: Value[] | Value[][];
}

const cases: Case[] = JSON.parse(
  readFileSync(new URL('../../fixtures/losses/expected.json', import.meta.url), 'utf8'),
);

const toNumbers = (values: Value[] | Value[][]): number[] => values.flat().map(Number);

/** Equal in kind (NaN, infinite with its sign, finite), and if finite also in value. */
function expectAlike(actual: number, expected: number, what: string): void {
  const kind = (x: number): string => (Number.isFinite(x) ? 'finite' : String(x));
  expect({ what, is: kind(actual) }).toEqual({ what, is: kind(expected) });
  if (!Number.isFinite(expected)) return;
  const error = Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
  expect({ what, isClose: error < 1e-12, actual }).toMatchObject({ what, isClose: true });
}

beforeAll(() => setBackend('reference'));
afterAll(() => setBackend('wasm'));

describe.each(Object.keys(LOSSES) as (keyof typeof LOSSES)[])('%s', (name) => {
  test('is what PyTorch gives, at huge, infinite and NaN numbers too', () => {
    for (const { options, target, x, loss, gradient } of cases.filter(
      (each) => each.name === name,
    )) {
      const shape = Array.isArray(x[0]) ? [1, x[0].length] : [x.length];
      const prediction = tensor(toNumbers(x), { shape, dtype: 'float64', requiresGrad: true });
      const dtype = 'sparse' in options && options.sparse ? 'int32' : 'float64';
      const result = new LOSSES[name]({ reduction: 'mean', ...options }).forward(
        prediction,
        tensor(target, { dtype }),
      );
      result.backward();
      const what = `${JSON.stringify(options)} x ${x} target ${target}`;
      // Infinite where the mathematics says so; PyTorch has 0 · ∞ in it.
      const isBetter = name === 'BCEWithLogitsLoss' && x[0] === '-Infinity' && target[0] !== 0;
      expectAlike(result.item(), isBetter ? Number.POSITIVE_INFINITY : Number(loss), what);
      if (toNumbers(x).some(Number.isNaN)) continue; // NaN or 0, by the kernels of the backend.
      const gradients = Array.from(prediction.grad?.data ?? []);
      toNumbers(gradient).forEach((expected, i) => {
        expectAlike(gradients[i], expected, `gradient ${i} of ${what}`);
      });
    }
  });
});

test('the tails of BCEWithLogitsLoss keep their digits', () => {
  for (const x of [10, 20, 30, 36]) {
    // σ(x) − 1 = −1 / (1 + eˣ), and σ(−x) = 1 / (1 + eˣ)
    for (const [sign, target] of [
      [1, 1],
      [-1, 0],
    ]) {
      const logit = tensor([sign * x], { dtype: 'float64', requiresGrad: true });
      new BCEWithLogitsLoss().forward(logit, tensor([target], { dtype: 'float64' })).backward();
      const expected = -sign / (1 + Math.exp(x));
      expect(Math.abs((logit.grad?.item() ?? 0) / expected - 1)).toBeLessThan(1e-12);
    }
  }
});

test('a Huber loss of infinite width is half the square', () => {
  const loss = new HuberLoss({ delta: Number.POSITIVE_INFINITY });
  const x = tensor([3, -1e4], { dtype: 'float64', requiresGrad: true });
  const y = loss.forward(x, tensor([0, 0], { dtype: 'float64' }));
  expect(y.item()).toBe((9 + 1e8) / 4);
  y.backward();
  expect(x.grad?.toArray()).toEqual([1.5, -5e3]);
});
