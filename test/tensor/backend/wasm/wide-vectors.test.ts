import { readFileSync } from 'node:fs';
import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import {
  add,
  avgPool2d,
  batchNorm2d,
  describeBackend,
  div,
  dropout,
  Generator,
  matmul,
  max,
  maximum,
  maxPool2d,
  minimum,
  mul,
  ones,
  pow,
  setBackend,
  setThreads,
  softmax,
  softmaxCrossEntropy,
  sub,
  sum,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runtime } from '../../../../packages/tensor/src/backend/wasm/runtime/runtime.ts';
import { bitsOf } from '../../../helpers/bits.ts';
import { checkWidths } from '../../../helpers/convolution-parity.ts';
import { evaluate, random } from '../../../helpers/evaluate.ts';
import { OP_CASES } from '../../ops/op-cases/index.ts';
import { UNARY_ENTRIES } from '../../ops/unary-functions.ts';

/**
 * Code for 256-bit vectors computes the same bits as that for 128-bit ones. Where the engine has no
 * wide vectors nothing can be compared, and the tests say so.
 */

const isNew = Number.parseInt(process.versions.node, 10) >= 24;
const hasAvx2 =
  process.platform === 'linux' && /\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));

afterAll(() => setBackend('wasm'));

describe('the choice of the width', () => {
  test('falls on 256 bits where Node and the processor have them, and is described', async () => {
    await setBackend('wasm');
    const { summary } = describeBackend();
    if (isNew && hasAvx2) expect(summary).toContain(', 256-bit vectors,');
    else if (!isNew) expect(summary).toMatch(/128-bit vectors \(256-bit ones.* need Node\.js ≥ 24/);
    else expect(summary).toMatch(/128-bit vectors \(256-bit ones/);
  });

  test('can be forbidden, and allowed again', async () => {
    await setBackend('wasm');
    const { lanes } = runtime().features;
    await setBackend('wasm', { wideVectors: false });
    expect(describeBackend().summary).toContain(
      "128-bit vectors (256-bit ones are switched off: option 'wideVectors')",
    );
    expect(runtime().features.lanes).toBe(4);
    await setBackend('wasm');
    expect(runtime().features.lanes).toBe(lanes);
  });
});

await setBackend('wasm');
const isWide = runtime().features.lanes === 8;
if (!isWide) console.warn(`wide vectors are not compared: ${describeBackend().summary}`);

type Bits = readonly Int32Array[];

/** What `run` gives with narrow vectors, and with wide ones. */
async function withBoth(run: () => Bits): Promise<[Bits, Bits]> {
  await setBackend('wasm', { wideVectors: false });
  const narrow = run();
  await setBackend('wasm');
  return [narrow, run()];
}

async function expectSameBits(run: () => Bits): Promise<void> {
  const [narrow, wide] = await withBoth(run);
  expect(wide.length).toBe(narrow.length);
  narrow.forEach((bits, i) => {
    const at = bits.findIndex((word, element) => word !== wide[i][element]);
    if (at >= 0) expect([i, at, wide[i][at]]).toEqual([i, at, bits[at]]);
  });
}

const results = (tensors: readonly Tensor[]): Bits => tensors.map(({ data }) => bitsOf(data));

describe.skipIf(!isWide)('wide and narrow vectors give the same bits', () => {
  beforeAll(() => setThreads(1));
  afterAll(() => setThreads(2));

  test.each(OP_CASES.map((opCase, i) => ({ ...opCase, name: `${opCase.op} (${i})` })))(
    '$name, forward and backward',
    async ({ calls }) => {
      const sample = fc.sample(calls, { seed: 20161104, numRuns: 60 });
      await expectSameBits(() =>
        sample.flatMap(({ run, inputs }) => {
          const leaves = inputs.map(({ data, shape }) =>
            tensor(Float32Array.from(data), { shape, requiresGrad: true }),
          );
          return results(evaluate(run, leaves));
        }),
      );
    },
  );

  const FUNCTIONS: Readonly<Record<string, (...inputs: Tensor[]) => Tensor>> = {
    ...Object.fromEntries(UNARY_ENTRIES),
    add: (a, b) => add(a, b),
    sub,
    mul,
    div,
    maximum: (a, b) => maximum(a, b),
    minimum: (a, b) => minimum(a, b),
    pow: (a, b) => pow(a, b),
  };

  /** From denormal to infinite, zeros of both signs and NaN among them. */
  function extremes(count: number, seed: number): Float32Array {
    const values = Float32Array.from(new Generator(seed).normal(count), (x) => x ** 7 * 10);
    const special = [0, -0, Number.NaN, 1 / 0, -1 / 0, 1e-45, -1e-40, 3.4e38, 88.7, -87.4, -104];
    special.forEach((value, i) => {
      for (let at = i * 13; at < count; at += 997) values[at] = value;
    });
    return values;
  }

  test.each(Object.entries(FUNCTIONS))(
    '%s over arrays of every length to 40, and over several parts',
    async (_, run) => {
      await expectSameBits(() =>
        [...Array.from({ length: 40 }, (_, i) => i + 1), 40_003].flatMap((length) => {
          const inputs = Array.from({ length: run.length }, (_, i) =>
            tensor(extremes(length, length + i), { requiresGrad: true }),
          );
          return results(evaluate(run, inputs));
        }),
      );
    },
  );

  const images = random([5, 7, 37, 41], 1, true);
  const perChannel = [1, 2, 3, 4].map((seed) => random([7], seed, seed < 3));
  test.each<[string, (...inputs: Tensor[]) => Tensor, Tensor[]]>([
    ['matmul', (a, b) => matmul(a, b), [random([131, 300], 1, true), random([300, 77], 2, true)]],
    ['max pooling 3×3, stride 2', (x) => maxPool2d(x, { kernelSize: 3, stride: 2 }), [images]],
    ['max pooling 2×2', (x) => maxPool2d(x, { kernelSize: 2 }), [images]],
    [
      'max pooling with padding',
      (x) => maxPool2d(x, { kernelSize: 3, stride: 1, padding: 1 }),
      [images],
    ],
    ['average pooling', (x) => avgPool2d(x, { kernelSize: 5, stride: 2 }), [images]],
    [
      'batch norm',
      (x, w, b) => batchNorm2d(x, w, b, { runningMean: zeros([7]), runningVariance: ones([7]) }),
      [images, ...perChannel.slice(0, 2)],
    ],
    [
      'batch norm with ReLU',
      (x, w, b) =>
        batchNorm2d(x, w, b, {
          runningMean: zeros([7]),
          runningVariance: ones([7]),
          activation: 'relu',
        }),
      [images, ...perChannel.slice(0, 2)],
    ],
    ['softmax', (x) => softmax(x, 1), [random([9, 1003], 3, true)]],
    ['dropout', (x) => dropout(x, { p: 0.3, generator: new Generator(3) }), [images]],
    ['sums of rows', (x) => sum(x, 3), [images]],
    ['sums of columns', (x) => sum(x, 0), [images]],
    ['a sum of everything', (x) => sum(mul(x, x)), [random([70_001], 3, true)]],
    ['maxima', (x) => max(x, 1), [images]],
  ])('%s', async (_, run, inputs) => {
    await expectSameBits(() => results(evaluate(run, inputs)));
  });

  test('cross-entropy', async () => {
    const labels = tensor(Int32Array.from({ length: 33 }, (_, i) => (i * 7) % 50));
    await expectSameBits(() =>
      results(evaluate((x) => softmaxCrossEntropy(x, labels), [random([33, 50], 1, true)])),
    );
  });

  test.each([
    ['plain sums', { winograd: false }, { maxGroupChannels: 24, budget: 100_000 }],
    ['without fused multiply-add', { relaxedSimd: false }, { maxGroupChannels: 24, budget: 1e5 }],
    ['3×3 by Winograd', {}, { maxGroupChannels: 64, budget: 300_000, isFor3x3: true }],
  ])(
    '300 random convolutions, %s',
    async (_, options, limits) => {
      await checkWidths(options, { ...limits, numRuns: 300 });
    },
    300_000,
  );

  test.each([
    ['SqueezeNet 1.0 at 64²', { numClasses: 10 } as const, 64],
    [
      'SqueezeNet 1.1 with batch norm at 32²',
      { numClasses: 10, version: '1.1', stem: 'cifar', batchNorm: true, bypass: 'simple' } as const,
      32,
    ],
  ])(
    'three training steps of %s, on two threads',
    async (_, options, size) => {
      setThreads(2);
      await expectSameBits(() => {
        const generator = new Generator(1);
        const network = new SqueezeNet({ ...options, generator });
        const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
        const optimizer = new Momentum(network.parameters(), {
          learningRate: 0.05,
          momentum: 0.9,
          weightDecay: 1e-4,
        });
        const labels = tensor(Int32Array.from({ length: 8 }, (_, i) => i));
        for (let step = 0; step < 3; step++) {
          const batch = random([8, 3, size, size], step);
          tidy(() => {
            optimizer.zeroGrad();
            lossFn.forward(network.forward(batch), labels).backward();
            optimizer.step();
          });
        }
        return results(Object.values(network.stateDict()));
      });
      setThreads(1);
    },
    120_000,
  );
});
