import { cosineRestarts, Momentum, oneCycle, stepDecay, toArray, warmup } from '@firelight/nn';
import { tensor } from '@firelight/tensor';
import { expect, test } from 'vitest';

const close = (values: ArrayLike<number>, expected: readonly number[]): void => {
  expect(values).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(values[i]).toBeCloseTo(value, 6);
  });
};

test('stepDecay falls at every step size', () => {
  const schedule = stepDecay({ learningRate: 1, stepSize: 2, gamma: 0.5 });
  close(toArray(schedule, 5), [1, 1, 0.5, 0.5, 0.25]);
  expect(() => stepDecay({ learningRate: -1, stepSize: 2 })).toThrow(
    /learningRate must be a number/,
  );
  expect(() => stepDecay({ learningRate: 1, stepSize: 0 })).toThrow(
    /stepSize must be an integer ≥ 1/,
  );
  expect(() => stepDecay({ learningRate: 1, stepSize: 1, gamma: -1 })).toThrow(/gamma must be/);
});

test('cosineRestarts begins again, each cycle longer', () => {
  const schedule = cosineRestarts({ max: 1, min: 0.2, firstCycle: 2, factor: 2 });
  const half = 0.6;
  close(toArray(schedule, 7), [
    1,
    half,
    1,
    0.6 + 0.4 * Math.SQRT1_2,
    half,
    0.6 - 0.4 * Math.SQRT1_2,
    1,
  ]);
  expect(() => cosineRestarts({ max: 1, firstCycle: 0 })).toThrow(
    /firstCycle must be an integer ≥ 1/,
  );
  expect(() => cosineRestarts({ max: 1, firstCycle: 2, factor: 1.5 })).toThrow(/factor must be/);
  expect(() => cosineRestarts({ max: -1, firstCycle: 2 })).toThrow(/max must be/);
  expect(() => cosineRestarts({ max: 1, min: -1, firstCycle: 2 })).toThrow(/min must be/);
});

test("oneCycle has PyTorch's values", () => {
  // torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=10), printed by torch 1.13.
  const expected = [
    0.03999999999999998, 0.52, 1.0, 0.9504846320134737, 0.8117456539497631, 0.6112620219362893,
    0.3887419780637106, 0.1882583460502369, 0.04951936798652629, 4e-6,
  ];
  close(toArray(oneCycle({ max: 1, totalSteps: 10 }), 10), expected);
  expect(() => oneCycle({ max: 1, totalSteps: 10 })(10)).toThrow(
    /step 10 is behind the last of 10/,
  );
  expect(() => oneCycle({ max: 1, totalSteps: 10, riseShare: 1 })).toThrow(/in \(0, 1\), got 1/);
  expect(() => oneCycle({ max: 1, totalSteps: 10, divFactor: 0.5 })).toThrow(
    /must be ≥ 1, got 0\.5/,
  );
});

test('warmup rises to any schedule, and optimizers take the result', () => {
  const schedule = warmup(stepDecay({ learningRate: 1, stepSize: 4 }), { steps: 2, from: 0.5 });
  close(toArray(schedule, 5), [0.5, 0.75, 1, 1, 0.1]);
  const w = tensor([1], { requiresGrad: true });
  const optimizer = new Momentum([w], { learningRate: schedule, momentum: 0 });
  optimizer.restoreGlobalStep(1);
  expect(optimizer.learningRate).toBe(0.75);
  expect(optimizer.learningRateArray).toBeNull();
  expect(() => warmup(schedule, { steps: 0 })).toThrow(/steps must be an integer ≥ 1, got 0/);
  expect(() => warmup(schedule, { steps: 1, from: -1 })).toThrow(/from must be a number ≥ 0/);
  expect(() => toArray(schedule, 0)).toThrow(/toArray: steps must be an integer ≥ 1/);
});
