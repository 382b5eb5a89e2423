import { gather, setBackend, type Tensor, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { seeds } from '../../../helpers/arbitraries.ts';
import { random } from '../../../helpers/evaluate.ts';
import { expectSameBits } from '../../../helpers/same-bits.ts';

afterAll(() => setBackend('wasm'));

/** Rows of single elements, of vectors and of both; some picked never, some often. */
const calls = fc.record({
  before: fc.integer({ min: 1, max: 3 }),
  length: fc.integer({ min: 1, max: 300 }),
  after: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(200)),
  count: fc.integer({ min: 1, max: 400 }),
  seed: seeds,
});

type Call = typeof calls extends fc.Arbitrary<infer C> ? C : never;

/** The rows and the gradient by where they are from. */
function evaluate(call: Call, dtype: 'float32' | 'float64'): Tensor[] {
  const { before, length, after, count, seed } = call;
  const numbers = (shape: readonly number[], offset: number): Tensor =>
    tensor(random(shape, seed + offset).data, { shape, dtype, requiresGrad: offset === 0 });
  const x = numbers([before, length, after], 0);
  // Squares lean to the first rows.
  const places = random([count], seed + 1).data.map((v) => Math.floor((v * v * 7) % length));
  const y = gather(x, Int32Array.from(places), 1);
  y.backward(numbers(y.shape, 2));
  return [y, x.grad as Tensor];
}

const floats = (tensors: readonly Tensor[]) => tensors.map(({ data }) => Float32Array.from(data));

test('rows and their sums equal those of float64, rounded', async () => {
  await fc.assert(
    fc.asyncProperty(calls, async (call) => {
      await setBackend('reference');
      const [y, grad] = floats(evaluate(call, 'float64'));
      await setBackend('wasm');
      const [actual, actualGrad] = floats(evaluate(call, 'float32'));
      expect(actual).toEqual(y);
      const wrong = grad.findIndex(
        (v, i) => Math.abs(actualGrad[i] - v) > 1e-6 * (1 + Math.abs(v)),
      );
      expect(wrong).toBe(-1);
    }),
    { numRuns: 40 },
  );
}, 60_000);

test('any number of threads and lanes gives the same bits', async () => {
  const all = fc.sample(calls, { numRuns: 15, seed: 20161104 });
  await expectSameBits(() =>
    all.flatMap((call) => evaluate(call, 'float32').map(({ data }) => data)),
  );
}, 60_000);

test('few rows of a large table are those of a small one', async () => {
  await setBackend('wasm');
  const x = random([3000, 50], 1);
  const rows = gather(x, [2999, 0, 7]).data;
  const expected = [2999, 0, 7].flatMap((row) => Array.from(x.data.slice(row * 50, row * 50 + 50)));
  expect(Array.from(rows)).toEqual(expected);
});

test('whole numbers are picked as they are', async () => {
  await setBackend('wasm');
  const x = tensor(Int32Array.of(2 ** 31 - 1, -5, 3));
  expect(gather(x, [2, 0, 0, 1]).data).toEqual(Int32Array.of(3, 2 ** 31 - 1, 2 ** 31 - 1, -5));
});
