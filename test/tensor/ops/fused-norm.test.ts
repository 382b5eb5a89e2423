import {
  batchNorm2d,
  batchNorm2dBranches,
  concat,
  relu,
  setBackend,
  type Tensor,
} from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeds, shapes } from '../../helpers/arbitraries.ts';
import { bitsOf } from '../../helpers/bits.ts';
import { evaluate, random } from '../../helpers/evaluate.ts';

/** Batch norm with ReLU, and side by side, has the bits of single norms with the ReLU behind them. */

interface Norm {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly runningMean: Tensor;
  readonly runningVariance: Tensor;
}

function normOf(channels: number, seed: number): Norm {
  const [weight, bias, runningMean] = [0, 1, 2].map((i) => random([channels], seed + i, i < 2));
  const runningVariance = relu(random([channels], seed + 3));
  return { weight, bias, runningMean, runningVariance };
}

interface Options {
  readonly training: boolean;
  readonly activation: 'none' | 'relu';
}

/** Norms, concat and ReLU one after another. */
function apart(images: Tensor[], norms: readonly Norm[], options: Options): Tensor {
  const { training, activation } = options;
  const parts = norms.map(({ weight, bias, ...statistics }, i) =>
    batchNorm2d(images[i], weight, bias, { ...statistics, training }),
  );
  const y = concat(parts, 1);
  return activation === 'relu' ? relu(y) : y;
}

const together: typeof apart = (images, norms, options) =>
  batchNorm2dBranches(concat(images, 1), norms, options);

interface Case extends Options {
  readonly batch: number;
  readonly size: readonly [number, number];
  /** Of each norm. */
  readonly channels: readonly number[];
  readonly seed: number;
}

const cases: fc.Arbitrary<Case> = fc.record({
  batch: fc.integer({ min: 2, max: 3 }),
  size: fc.tuple(fc.integer({ min: 1, max: 13 }), fc.integer({ min: 1, max: 13 })),
  channels: shapes({ minRank: 1, maxRank: 3, maxLength: 6 }),
  training: fc.boolean(),
  activation: fc.constantFrom('none' as const, 'relu' as const),
  seed: seeds,
});

/** The output, the gradients by everything, and the running statistics. */
function bitsOfCase(run: typeof apart, { batch, size, channels, seed, ...options }: Case) {
  const norms = channels.map((count, i) => normOf(count, seed + 10 * i));
  const images = channels.map((count, i) =>
    random([batch, count, ...size], seed + 10 * i + 5, true),
  );
  const parameters = norms.flatMap(({ weight, bias }) => [weight, bias]);
  const results = evaluate(() => run(images, norms, options), [...images, ...parameters]);
  const statistics = norms.flatMap((norm) => [norm.runningMean, norm.runningVariance]);
  return [...results, ...statistics].map(({ data }) => bitsOf(data));
}

/** Numbers of the arrays that differ, with the first place where they do. */
function differences(actual: readonly Int32Array[], expected: readonly Int32Array[]) {
  return expected.flatMap((bits, i) => {
    const at = bits.findIndex((word, element) => word !== actual[i][element]);
    return at < 0 ? [] : [`${i}[${at}]`];
  });
}

afterAll(() => setBackend('wasm'));

describe.each([
  ['reference', {}],
  ['wasm', {}],
  ['wasm', { wideVectors: false }],
  ['wasm', { relaxedSimd: false }],
] as const)('on %s %j', (backend, options) => {
  beforeAll(() => setBackend(backend, options));

  test('for small arrays', () => {
    let rectified = 0;
    fc.assert(
      fc.property(cases, (call) => {
        const expected = bitsOfCase(apart, call);
        expect(differences(bitsOfCase(together, call), expected)).toEqual([]);
        if (call.activation === 'relu')
          rectified += expected[0].filter((bits) => bits === 0).length;
      }),
      { seed: 20161104, numRuns: 30 },
    );
    expect(rectified).toBeGreaterThan(0);
  });

  test.each([true, false])('for arrays of several parts, training %s', (training) => {
    const size = [31, 33] as const;
    const call: Case = {
      batch: 2,
      size,
      channels: [11, 8],
      training,
      activation: 'relu',
      seed: 1,
    };
    const expected = bitsOfCase(apart, call);
    expect(differences(bitsOfCase(together, call), expected)).toEqual([]);
  });
});
