import { type GetLrOptions, getLr, type LrDecayMode } from '@firelight/nn';
import { ValueError } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';

const TUTORIAL: Omit<GetLrOptions, 'lrDecayMode'> = {
  lrInit: 0,
  lrEnd: 0,
  lrMax: 0.01,
  totalEpochs: 30,
  warmupEpochs: 5,
  pretrainEpochs: 0,
  stepsPerEpoch: 1562,
};

describe('the tutorial’s learning rates', () => {
  // Values computed from the formulas in float64, to six digits.
  const STEPS = [0, 1562, 7810, 20_000, 37_488, 46_859];
  test.each<[LrDecayMode, number[]]>([
    ['steps', [0.01, 0.01, 0.01, 0.001, 1e-5, 1e-5]],
    ['poly', [0, 0.002, 0.01, 0.00473119, 5.76e-4, 6.5578e-12]],
    ['linear', [0, 0.002, 0.01, 0.00687836, 0.0024, 2.56082e-7]],
    ['cosine', [0, 0.002, 0.0100001, 0.00551774, 4.51575e-4, 1.0227e-7]],
  ])('%s', (lrDecayMode, expected) => {
    const rates = getLr({ ...TUTORIAL, lrDecayMode });
    expect(rates).toBeInstanceOf(Float32Array);
    expect(rates).toHaveLength(46_860);
    STEPS.forEach((step, i) => {
      if (expected[i] === 0) expect(rates[step]).toBe(0);
      else expect(rates[step] / expected[i]).toBeCloseTo(1, 5);
    });
  });

  test('start after the pretrained epochs', () => {
    for (const lrDecayMode of ['steps', 'poly', 'linear', 'cosine'] as const) {
      const whole = getLr({ ...TUTORIAL, lrDecayMode });
      const rest = getLr({ ...TUTORIAL, lrDecayMode, pretrainEpochs: 12 });
      expect(rest).toEqual(whole.subarray(12 * 1562));
    }
  });
});

test('warm-up starts at lrInit, and linear decay leads to lrEnd', () => {
  const rates = getLr({
    ...TUTORIAL,
    lrInit: 0.1,
    lrMax: 0.5,
    lrEnd: 0.2,
    totalEpochs: 4,
    warmupEpochs: 2,
    stepsPerEpoch: 2,
    lrDecayMode: 'linear',
  });
  const expected = [0.1, 0.2, 0.3, 0.4, 0.5, 0.425, 0.35, 0.275];
  rates.forEach((rate, i) => {
    expect(rate).toBeCloseTo(expected[i], 6);
  });
});

test('no warm-up starts at the maximum', () => {
  const rates = getLr({ ...TUTORIAL, warmupEpochs: 0, lrDecayMode: 'poly' });
  expect(rates[0]).toBe(Math.fround(0.01));
  expect(rates.every(Number.isFinite)).toBe(true);
});

test('warm-up may end within an epoch', () => {
  const options = { ...TUTORIAL, totalEpochs: 1, warmupEpochs: 0.5, stepsPerEpoch: 5 };
  const rates = getLr({ ...options, lrMax: 0.3, lrDecayMode: 'linear' });
  [0, 0.1, 0.2, 0.3, 0.15].forEach((expected, i) => {
    expect(rates[i]).toBeCloseTo(expected, 6);
  });
});

test('warm-up may take the whole training', () => {
  const options = { ...TUTORIAL, totalEpochs: 1, warmupEpochs: 1, stepsPerEpoch: 4 };
  const rates = getLr({ ...options, lrDecayMode: 'cosine' });
  [0, 0.0025, 0.005, 0.0075].forEach((expected, i) => {
    expect(rates[i]).toBeCloseTo(expected, 8);
  });
});

test.each<[Record<string, unknown>, RegExp]>([
  [{ lrDecayMode: 'exp' }, /lrDecayMode must be one of steps, poly, linear, cosine, got 'exp'/],
  [{ lrMax: -1 }, /lrMax must be a number ≥ 0, got -1/],
  [{ lrInit: Number.NaN }, /lrInit must be a number ≥ 0, got NaN/],
  [{ totalEpochs: 0 }, /totalEpochs must be an integer ≥ 1, got 0/],
  [{ stepsPerEpoch: 1.5 }, /stepsPerEpoch must be an integer ≥ 1, got 1.5/],
  [{ warmupEpochs: -1 }, /warmupEpochs must be a number ≥ 0, got -1/],
  [{ warmupEpochs: 31 }, /warmupEpochs \(31\) must not be more than totalEpochs \(30\)/],
  [{ pretrainEpochs: 30 }, /pretrainEpochs \(30\) must be less than totalEpochs \(30\)/],
])('%j is refused', (change, message) => {
  const options = { ...TUTORIAL, lrDecayMode: 'linear', ...change } as GetLrOptions;
  expect(() => getLr(options)).toThrow(ValueError);
  expect(() => getLr(options)).toThrow(message);
});
