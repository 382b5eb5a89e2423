import {
  conv2dBranches,
  type PaddingOption,
  type Pair,
  setBackend,
  type Tensor,
  tensor,
  tidy,
} from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { runtime } from '../../../../packages/tensor/src/backend/wasm/runtime/runtime.ts';
import { seeds } from '../../../helpers/arbitraries.ts';
import { random } from '../../../helpers/evaluate.ts';
import { expectSameBits } from '../../../helpers/same-bits.ts';
import { pair } from '../../../helpers/windows.ts';

afterAll(() => setBackend('wasm'));

interface Call {
  readonly x: readonly number[];
  readonly multiplier: number;
  readonly kernel: readonly [number, number];
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padding: PaddingOption;
  readonly activation: 'none' | 'relu';
  /** Pixels that are infinite. */
  readonly infinities: number;
  readonly seed: number;
}

/** Planes that are computed in several strips, and small ones. */
const anyCalls: fc.Arbitrary<Call> = fc.record({
  x: fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 2, max: 4 }),
    fc.integer({ min: 13, max: 120 }),
    fc.integer({ min: 13, max: 120 }),
  ),
  multiplier: fc.integer({ min: 1, max: 3 }),
  kernel: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
  stride: pair(1, 3),
  dilation: pair(1, 3),
  padding: fc.oneof(
    fc.constant('same' as const),
    fc.nat({ max: 2 }),
    fc.tuple(...[0, 0, 0, 0].map(() => fc.nat({ max: 16 }))) as fc.Arbitrary<
      [number, number, number, number]
    >,
  ),
  activation: fc.constantFrom('none', 'relu'),
  infinities: fc.constantFrom(0, 0, 1, 3),
  seed: seeds,
});

/** The kernels of 3 × 3 that have code of their own, on planes of every size. */
const squareCalls: fc.Arbitrary<Call> = fc
  .tuple(
    anyCalls,
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 40 }),
    fc.nat({ max: 2 }),
  )
  .map(([call, height, width, least]) => ({
    ...call,
    x: [call.x[0], call.x[1], height + 2, width + 2],
    kernel: [3, 3],
    stride: 1,
    dilation: 1,
    padding: call.padding === 'same' ? 'same' : least,
  }));

const calls = fc.oneof(anyCalls, squareCalls);

/** Output and gradients; of whole numbers, whose sums are exact, or of any. */
function evaluate(call: Call, dtype: 'float32' | 'float64', isWhole: boolean): Tensor[] {
  const { x, multiplier, kernel, activation, infinities, seed, ...window } = call;
  const numbers = (shape: readonly number[], offset: number, shift = 0): Tensor => {
    const { data } = random(shape, seed + offset);
    const values = Float64Array.from(data, (v) => (isWhole ? Math.round(v * 3) + shift : v));
    if (offset === 0) {
      // Every second one in a last column, where rows end that vectors reach over.
      const width = shape[3];
      for (let i = 1; i <= infinities; i++) {
        const at = (seed * i) % values.length;
        values[i % 2 === 0 ? at : at - (at % width) + width - 1] = Infinity;
      }
    }
    return tensor(values, { shape, dtype, requiresGrad: true });
  };
  const channels = x[1] * multiplier;
  const input = numbers(x, 0);
  const weight = numbers([channels, 1, ...kernel], 1);
  const bias = numbers([channels], 2, 0.5);
  const branch = { weight, bias, groups: x[1], ...window };
  const y = conv2dBranches(input, [branch], { activation });
  y.backward(numbers(y.shape, 3));
  return [y, ...[input, weight, bias].map(({ grad }) => grad as Tensor)];
}

test('planes of every size equal the reference in float64', async () => {
  await fc.assert(
    fc.asyncProperty(calls, async (call) => {
      await setBackend('reference');
      const expected = evaluate(call, 'float64', true).map(({ data }) => Float32Array.from(data));
      await setBackend('wasm');
      expect(evaluate(call, 'float32', true).map(({ data }) => data)).toEqual(expected);
    }),
    { numRuns: 24 },
  );
}, 120_000);

test('any number of threads and lanes gives the same bits', async () => {
  const all = fc.sample(calls, { numRuns: 12, seed: 20161104 });
  await expectSameBits(() =>
    all.flatMap((call) => evaluate(call, 'float32', false).map(({ data }) => data)),
  );
}, 120_000);

const SQUARE = {
  multiplier: 1,
  stride: 1,
  dilation: 1,
  activation: 'relu',
  infinities: 0,
  seed: 1,
} as const;

test('rows that do not fit into a thread’s memory are computed as products', async () => {
  const x = [1, 2, 1, 300_000];
  const call: Call = { ...SQUARE, x, kernel: [1, 3], padding: [0, 0, 1, 1] };
  await setBackend('reference');
  const expected = evaluate(call, 'float64', true).map(({ data }) => Float32Array.from(data));
  await setBackend('wasm');
  evaluate(call, 'float32', true).forEach(({ data }, i) => {
    const wrong = data.findIndex((value, at) => value !== expected[i][at]);
    expect([i, wrong]).toEqual([i, -1]); // `toEqual` takes a minute for so many.
  });
});

test('a batch without images has gradients of 0', async () => {
  await setBackend('wasm');
  const call: Call = { ...SQUARE, x: [0, 2, 4, 4], kernel: [3, 3], padding: 1 };
  const [y, gradX, gradWeight, gradBias] = evaluate(call, 'float32', true);
  expect([y.size, gradX.size]).toEqual([0, 0]);
  expect(gradWeight.data).toEqual(new Float32Array(18));
  expect(gradBias.data).toEqual(new Float32Array(2));
});

test('many calls take no more memory than a few', async () => {
  await setBackend('wasm');
  const call: Call = { ...SQUARE, x: [4, 8, 16, 16], kernel: [3, 3], padding: 1 };
  const run = (): void => tidy(() => void evaluate(call, 'float32', false));
  for (let i = 0; i < 3; i++) run();
  const { arena, memory } = runtime();
  const before = [arena.usedBytes, memory.buffer.byteLength];
  for (let i = 0; i < 50; i++) run();
  expect([arena.usedBytes, memory.buffer.byteLength]).toEqual(before);
});
