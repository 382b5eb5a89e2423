import {
  avgPool2d,
  batchNorm2d,
  broadcastTo,
  cast,
  conv2d,
  conv2dBranches,
  Generator,
  gather,
  globalAvgPool2d,
  logSoftmax,
  mean,
  mul,
  setBackend,
  setThreads,
  softmax,
  softmaxCrossEntropy,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/**
 * Sums of many positive float32 numbers against sums in float64. Beside random numbers one that repeats:
 * its roundings all go in one direction.
 */

/** Largest relative error of a sum of positive numbers. */
const TOLERANCE = 1e-6;

const REPEATED = Math.fround(0.1);

type Fill = (count: number) => Float32Array;
const FILLS: readonly [string, Fill][] = [
  ['the same number', (count) => new Float32Array(count).fill(REPEATED)],
  ['random numbers', (count) => Float32Array.from(new Generator(5).uniform(count))],
];

const countOf = (shape: readonly number[]): number => shape.reduce((all, n) => all * n, 1);

const leafOf = (fill: Fill, shape: readonly number[]): Tensor =>
  tensor(fill(countOf(shape)), { shape, requiresGrad: true });

/** Sums over the middle axis of numbers seen as [outer, length, inner], in float64. */
function exactSums(x: Tensor, outer: number, length: number, inner: number): Float64Array {
  const sums = new Float64Array(outer * inner);
  const { data } = x;
  for (let i = 0; i < data.length; i++) {
    sums[Math.floor(i / (length * inner)) * inner + (i % inner)] += data[i];
  }
  return sums;
}

function expectNear(actual: Tensor | null, expected: ArrayLike<number>): void {
  const values = actual?.data ?? [];
  expect(values).toHaveLength(expected.length);
  let worst = 0;
  for (let i = 0; i < values.length; i++) {
    const error = Math.abs(values[i] / expected[i] - 1);
    if (!(error <= worst)) worst = error; // NaN must not pass as small.
  }
  expect(worst).toBeLessThanOrEqual(TOLERANCE);
}

beforeAll(() => setBackend('wasm'));
afterAll(() => setBackend('wasm'));

describe.each(FILLS)('%s', (_, fill) => {
  test.each([
    { shape: [2 ** 24], axes: undefined, seen: [1, 2 ** 24, 1] },
    { shape: [2 ** 20 + 3, 4], axes: [0], seen: [1, 2 ** 20 + 3, 4] },
    { shape: [70_001, 37], axes: [0], seen: [1, 70_001, 37] },
    { shape: [3, 300_007], axes: [1], seen: [3, 300_007, 1] },
    { shape: [5, 40_003, 9], axes: [1], seen: [5, 40_003, 9] },
    { shape: [40, 25, 30, 20], axes: [2, 3], seen: [1000, 600, 1] },
    { shape: [1000, 30, 20, 3], axes: [0, 1], seen: [1, 30_000, 60] },
  ])('sum and mean of $shape over $axes', ({ shape, axes, seen: [outer, length, inner] }) => {
    const x = leafOf(fill, shape);
    const expected = exactSums(x, outer, length, inner);
    expectNear(sum(x, axes), expected);
    expectNear(
      mean(x, axes),
      expected.map((total) => total / length),
    );
  });

  test('sums over axes with others between, and of gradients that were broadcast', () => {
    const x = leafOf(fill, [300, 7, 500]);
    const expected = new Float64Array(7);
    x.data.forEach((value, i) => {
      expected[Math.floor(i / 500) % 7] += value;
    });
    expectNear(sum(x, [0, 2]), expected);
    const row = leafOf(fill, [7, 1]);
    mul(x.detach(), row).backward(tensor(new Float32Array(x.size).fill(1), { shape: x.shape }));
    expectNear(row.grad, expected);
    const one = leafOf(fill, [1]);
    broadcastTo(one, [2 ** 21]).backward(tensor(fill(2 ** 21)));
    expectNear(one.grad, exactSums(tensor(fill(2 ** 21)), 1, 2 ** 21, 1));
  });

  test('statistics and gradients of batch norm', () => {
    const shape = [40, 3, 131, 61];
    const x = leafOf(fill, shape);
    const [N, C, H, W] = shape;
    const channel = (i: number): number => Math.floor(i / (H * W)) % C;
    const means = new Float64Array(C);
    x.data.forEach((value, i) => {
      means[channel(i)] += value / (N * H * W);
    });
    const moments = { runningMean: zeros([C]), runningVariance: zeros([C]) };
    const [weight, bias] = [leafOf(fill, [C]), leafOf(fill, [C])];
    const y = batchNorm2d(x, weight, bias, { ...moments, momentum: 1 });
    expectNear(moments.runningMean, means);
    const g = tensor(fill(x.size), { shape });
    y.backward(g);
    const sums = new Float64Array(C);
    g.data.forEach((value, i) => {
      sums[channel(i)] += value;
    });
    expectNear(bias.grad, sums);

    // Frozen statistics, for which x̂ = x / √(1 + ε) is positive and nothing cancels.
    const frozen = {
      runningMean: zeros([C]),
      runningVariance: tensor(new Float32Array(C).fill(1)),
      training: false,
    };
    const dots = new Float64Array(C);
    x.data.forEach((value, i) => {
      dots[channel(i)] += (value * g.data[i]) / Math.sqrt(1 + 1e-5);
    });
    for (const activation of ['none', 'relu'] as const) {
      weight.grad = null;
      bias.grad = null;
      batchNorm2d(x, weight, bias, { ...frozen, activation }).backward(g);
      expectNear(weight.grad, dots);
      expectNear(bias.grad, sums);
    }
  });

  test.each(['none', 'relu'] as const)('gradients of a bias, with activation %s', (activation) => {
    const x = leafOf(fill, [60, 1, 200, 90]);
    const [weight, bias] = [leafOf(fill, [2, 1, 1, 1]), leafOf(fill, [2])];
    const y = conv2d(x, weight, bias, { activation });
    const g = tensor(fill(y.size), { shape: y.shape });
    y.backward(g);
    const expected = new Float64Array(2);
    g.data.forEach((value, i) => {
      expected[Math.floor(i / 18_000) % 2] += value;
    });
    expectNear(bias.grad, expected);
  });

  test('gradients of biases of branches, whose planes lie apart', () => {
    const x = leafOf(fill, [60, 1, 100, 90]);
    const branches = [2, 3].map((channels) => ({
      weight: leafOf(fill, [channels, 1, 1, 1]),
      bias: leafOf(fill, [channels]),
    }));
    const y = conv2dBranches(x, branches);
    const g = tensor(fill(y.size), { shape: y.shape });
    y.backward(g);
    const expected = new Float64Array(5);
    g.data.forEach((value, i) => {
      expected[Math.floor(i / 9000) % 5] += value;
    });
    expectNear(branches[0].bias.grad, expected.subarray(0, 2));
    expectNear(branches[1].bias.grad, expected.subarray(2));
  });

  test('averages and their gradients', () => {
    const x = leafOf(fill, [2, 3, 150, 140]);
    expectNear(
      globalAvgPool2d(x),
      exactSums(x, 6, 21_000, 1).map((total) => total / 21_000),
    );
    expectNear(
      avgPool2d(x, { kernelSize: [150, 140] }),
      exactSums(x, 6, 21_000, 1).map((total) => total / 21_000),
    );
    const small = leafOf(fill, [1, 1, 40, 33]);
    const y = avgPool2d(small, { kernelSize: [20, 11], stride: [1, 2], padding: [3, 2] });
    const g = tensor(fill(y.size), { shape: y.shape });
    y.backward(g);
    const [outHeight, outWidth] = y.shape.slice(2);
    const expected = new Float64Array(small.size);
    for (let oh = 0; oh < outHeight; oh++) {
      for (let ow = 0; ow < outWidth; ow++) {
        for (let h = Math.max(0, oh - 3); h < Math.min(40, oh + 17); h++) {
          for (let w = Math.max(0, 2 * ow - 2); w < Math.min(33, 2 * ow + 9); w++) {
            expected[h * 33 + w] += g.data[oh * outWidth + ow] / 220;
          }
        }
      }
    }
    expectNear(small.grad, expected);
  });

  test('the normalizer of softmax lines', () => {
    const classes = 200_003;
    const numbers = fill(classes);
    numbers[0] = 2.4; // The largest, beside which all others are fractions.
    const logits = tensor(numbers, { shape: [1, classes] });
    const total = Array.from(logits.data).reduce((all, x) => all + Math.exp(x), 0);
    const probabilities = Array.from(logits.data, (x) => Math.exp(x) / total);
    expectNear(softmax(logits), probabilities);
    const losses = Array.from(logits.data, (x) => x - Math.log(total));
    expectNear(logSoftmax(logits), losses);
    const label = tensor(new Int32Array([1]));
    expectNear(softmaxCrossEntropy(logits, label), [-losses[1]]);
  });

  test('a row that is gathered often', () => {
    const x = leafOf(fill, [1, 3]);
    const rows = 300_000;
    const y = gather(x, tensor(new Int32Array(rows)));
    const g = tensor(fill(y.size), { shape: y.shape });
    y.backward(g);
    expectNear(x.grad, exactSums(g, 1, rows, 3));
  });

  test.each([
    ['1×1', [48, 4, 40, 40], [4, 4, 1, 1], {}],
    ['7×7', [24, 2, 61, 61], [4, 2, 7, 7], { stride: 2 }],
    ['3×3 by Winograd', [32, 8, 40, 40], [8, 8, 3, 3], {}],
  ] as const)('gradients of weights, %s', (_kind, shape, kernel, options) => {
    const [x, weight] = [leafOf(fill, shape), leafOf(fill, kernel)];
    const y = conv2d(x, weight, null, options);
    const g = tensor(fill(y.size), { shape: y.shape });
    y.backward(g);
    const exact = cast(x, 'float64').detach();
    const leaf = tensor(Float64Array.from(weight.data), { shape: kernel, requiresGrad: true });
    conv2d(exact, leaf, null, options).backward(cast(g, 'float64'));
    expectNear(weight.grad, (leaf.grad as Tensor).data);
  });
});

test('sums have the same bits for 1, 2 and 3 threads', () => {
  const x = leafOf(FILLS[1][1], [300, 70, 61]);
  const results = [1, 2, 3].map((threads) => {
    setThreads(threads);
    const axes = [[0, 1, 2], [0], [1], [2], [0, 2]];
    return axes.map((each) => Array.from(sum(x, each).data));
  });
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
  setThreads(2);
});
