import {
  batchNorm2d,
  conv2d,
  conv2dBranches,
  dropout,
  Generator,
  matmul,
  maxPool2d,
  mean,
  mul,
  pow,
  setBackend,
  setThreads,
  softmaxCrossEntropy,
  sum,
  type Tensor,
  tensor,
} from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { seeds } from '../../../helpers/arbitraries.ts';
import { evaluate, random } from '../../../helpers/evaluate.ts';
import { KERNELS, ownKernels } from '../../../helpers/own-kernels.ts';
import { relativeError } from '../../../helpers/relative-error.ts';
import { PLAIN_ERROR, WINOGRAD_ERROR } from '../../../helpers/tolerances.ts';

/**
 * `all-ops.test.ts` compares every operation on small shapes; here shapes are large enough for
 * several blocks, parts and tiles of the fast algorithms.
 */

afterAll(() => setBackend('wasm'));

async function compare(
  run: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  tolerance: number,
  options = {},
): Promise<void> {
  await setBackend('reference');
  const expected = evaluate(run, inputs);
  await setBackend('wasm', options);
  const actual = evaluate(run, inputs);
  actual.forEach((result, i) => {
    expect(relativeError(result.data, expected[i].data)).toBeLessThan(tolerance);
  });
}

describe('convolution over several blocks', () => {
  const cases = fc.record({
    batch: fc.integer({ min: 1, max: 9 }),
    channels: fc.integer({ min: 1, max: 40 }),
    outChannels: fc.integer({ min: 1, max: 70 }),
    height: fc.integer({ min: 3, max: 20 }),
    width: fc.integer({ min: 3, max: 20 }),
    padding: fc.integer({ min: 0, max: 2 }),
    seed: seeds,
  });

  test.each([
    ['plain sums', { winograd: false }, PLAIN_ERROR],
    ['Winograd', { winograd: true }, WINOGRAD_ERROR],
    ['without fused multiply-add', { winograd: true, relaxedSimd: false }, WINOGRAD_ERROR],
  ])(
    '3×3 by %s',
    async (_, options, tolerance) => {
      await fc.assert(
        fc.asyncProperty(
          cases,
          async ({ batch, channels, outChannels, height, width, padding, seed }) => {
            const inputs = [
              random([batch, channels, height, width], seed, true),
              random([outChannels, channels, 3, 3], seed + 1, true),
              random([outChannels], seed + 2, true),
            ];
            const run = (x: Tensor, w: Tensor, b: Tensor) => conv2d(x, w, b, { padding });
            await compare(run, inputs, tolerance, options);
          },
        ),
        { seed: 20161104, numRuns: 25 },
      );
    },
    60_000,
  );

  test.each([
    { shape: [3, 3, 61, 45], kernel: [70, 3, 7, 7], options: { stride: 2 } },
    { shape: [2, 300, 9, 9], kernel: [5, 300, 1, 1], options: {} },
    { shape: [2, 40, 17, 17], kernel: [520, 40, 1, 1], options: {} },
    { shape: [2, 24, 23, 19], kernel: [36, 8, 3, 3], options: { groups: 3, padding: 1 } },
    {
      shape: [4, 6, 19, 21],
      kernel: [8, 6, 3, 5],
      options: { stride: [3, 2], padding: 2, dilation: 2 },
    },
    { shape: [9, 17, 33, 30], kernel: [35, 17, 3, 3], options: { padding: 1 } },
  ] as const)('$kernel over $shape', async ({ shape, kernel, options }) => {
    const inputs = [random(shape, 1, true), random(kernel, 2, true), random([kernel[0]], 3, true)];
    await compare((x, w, b) => conv2d(x, w, b, options), inputs, WINOGRAD_ERROR);
  });

  test('branches with ReLU write and read their own channels', async () => {
    const inputs = [
      random([3, 20, 13, 13], 1, true),
      random([24, 20, 1, 1], 2, true),
      random([24], 3, true),
      random([33, 20, 3, 3], 4, true),
      random([33], 5, true),
    ];
    const run = (x: Tensor, w1: Tensor, b1: Tensor, w3: Tensor, b3: Tensor) =>
      conv2dBranches(
        x,
        [
          { weight: w1, bias: b1 },
          { weight: w3, bias: b3, padding: 1 },
        ],
        {
          activation: 'relu',
        },
      );
    await compare(run, inputs, WINOGRAD_ERROR);
  });

  test('a first layer with a large output, whose gradient is made for a few images at a time', async () => {
    // Whole numbers and halves, so that no output is near the kink of ReLU.
    const rounded = (shape: number[], seed: number, shift: number): Tensor => {
      const data = Float32Array.from(
        random(shape, seed).data,
        (value) => Math.round(value) + shift,
      );
      return tensor(data, { shape, requiresGrad: true });
    };
    const x = rounded([3, 2, 330, 330], 1, 0).detach();
    // Two of these outputs, of 14 MiB, are taken together, and then the third.
    const inputs = [rounded([33, 2, 1, 1], 2, 0), rounded([33], 3, 0.5)];
    const run = (weight: Tensor, bias: Tensor) =>
      conv2dBranches(x, [{ weight, bias }], { activation: 'relu' });
    await compare(run, inputs, WINOGRAD_ERROR);
  }, 60_000);

  test('Winograd can be forbidden, which gives the errors of plain sums', async () => {
    const inputs = [random([2, 64, 14, 14], 1, true), random([64, 64, 3, 3], 2, true)];
    const run = (x: Tensor, w: Tensor) => conv2d(x, w, null, { padding: 1 });
    const [plain, fast] = [[], []] as Tensor[][];
    await setBackend('wasm', { winograd: false });
    plain.push(...evaluate(run, inputs));
    await setBackend('wasm');
    fast.push(...evaluate(run, inputs));
    expect(relativeError(fast[0].data, plain[0].data)).toBeGreaterThan(1e-6);
    await compare(run, inputs, PLAIN_ERROR / 2, { winograd: false });
  });
});

describe('other kernels over several parts', () => {
  test('matrix products of all transposes and batches', async () => {
    const product = (a: Tensor, b: Tensor): Tensor => matmul(a, b);
    await compare(product, [random([300, 270], 1, true), random([270, 530], 2, true)], PLAIN_ERROR);
    await compare(
      product,
      [random([3, 1, 40, 33], 1, true), random([5, 33, 21], 2, true)],
      PLAIN_ERROR,
    );
  });

  test('sums of a million numbers', async () => {
    await compare((x) => sum(x), [random([1_000_003], 1, true)], PLAIN_ERROR);
    await compare((x) => mean(x, [0, 2]), [random([70, 9, 500], 1, true)], PLAIN_ERROR);
    await compare((x) => sum(x, 0), [random([9000, 7], 1, true)], PLAIN_ERROR);
  });

  test('batch norm, broadcasting, cross-entropy and powers', async () => {
    const statistics = { runningMean: random([21], 7), runningVariance: mul(random([21], 8), 0) };
    const norm = (x: Tensor, w: Tensor, b: Tensor) => batchNorm2d(x, w, b, statistics);
    const inputs = [random([8, 21, 31, 33], 1, true), random([21], 2, true), random([21], 3, true)];
    await compare(norm, inputs, PLAIN_ERROR);
    await compare(mul, [random([6, 70, 50], 1, true), random([70, 1], 2, true)], PLAIN_ERROR);
    const labels = tensor(Int32Array.from({ length: 500 }, (_, i) => i % 37));
    await compare((x) => softmaxCrossEntropy(x, labels), [random([500, 37], 1, true)], PLAIN_ERROR);
    await compare((x) => pow(x, 3), [random([50_000], 1, true)], PLAIN_ERROR);
  });

  test('max-pool finds the same positions, with NaN, ties and infinities', async () => {
    const values = [1, 2, Number.NaN, Number.NEGATIVE_INFINITY, 2, -0, 0];
    const element = fc.constantFrom(...values);
    const cases = fc.record({
      elements: fc.array(element, { minLength: 1, maxLength: 40 }),
      size: fc.tuple(fc.integer({ min: 3, max: 20 }), fc.integer({ min: 3, max: 20 })),
      kernelSize: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 3 }),
      ceilMode: fc.boolean(),
      isPadded: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ elements, size, isPadded, ...options }) => {
        const shape = [2, 3, ...size];
        const count = 6 * size[0] * size[1];
        const data = Float32Array.from({ length: count }, (_, i) => elements[i % elements.length]);
        const x = tensor(data, { shape, requiresGrad: true });
        const padding = isPadded && options.kernelSize > 1 ? 1 : 0;
        const run = (input: Tensor) => maxPool2d(input, { ...options, padding });
        await setBackend('reference');
        const [y, grad] = evaluate(run, [x]);
        await setBackend('wasm');
        const [actualY, actualGrad] = evaluate(run, [x]);
        const unsigned = ({ data }: Tensor) => Array.from(data, (value) => value + 0); // −0 counts as 0
        expect(unsigned(actualY)).toEqual(unsigned(y));
        // A wrong position would be an error as large as the gradient.
        expect(relativeError(actualGrad.data, grad.data)).toBeLessThan(PLAIN_ERROR);
      }),
      { seed: 20161104, numRuns: 200 },
    );
  });

  test('dropout drops the same elements at every position of the stream', async () => {
    const counters = [0, 1, 2 ** 32 - 3, 2 ** 32 - 1];
    for (const low of counters) {
      const state = { key: [7, 2 ** 32 - 1], counter: [low, 2 ** 32 - 1, 5, 9] } as const;
      for (const size of [1, 5, 8191, 20_001]) {
        const masks = [];
        for (const backend of ['reference', 'wasm']) {
          await setBackend(backend);
          const generator = Generator.fromState(state);
          const x = tensor(new Float32Array(size).fill(3));
          masks.push([...dropout(x, { p: 0.3, generator }).data]);
        }
        expect(masks[1]).toEqual(masks[0]);
      }
    }
  });
});

describe('the list of kernels', () => {
  test('is complete', () => {
    const missing = KERNELS.filter((name) => ownKernels('wasm', name)?.[name] === undefined);
    expect(missing).toEqual([]);
  });
});

test('results have the same bits for 1, 2, 3 and 4 threads', async () => {
  await setBackend('wasm');
  const inputs = [
    random([9, 20, 33, 30], 1, true),
    random([36, 20, 3, 3], 2, true),
    random([36], 3, true),
  ];
  const run = (x: Tensor, w: Tensor, b: Tensor) =>
    maxPool2d(conv2d(x, w, b, { padding: 1, activation: 'relu' }), { kernelSize: 3, stride: 2 });
  const results = [1, 2, 3, 4].map((threads) => {
    setThreads(threads);
    const norm = evaluate((x) => sum(x, [0, 2, 3]), [inputs[0]]);
    return [...evaluate(run, inputs), ...norm].map((result) => [...result.data]);
  });
  for (const result of results) expect(result).toEqual(results[0]);
  setThreads(2);
});
