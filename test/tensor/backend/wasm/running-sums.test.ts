import { cumsum, setBackend, type Tensor, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { seeds } from '../../../helpers/arbitraries.ts';
import { random } from '../../../helpers/evaluate.ts';
import { expectSameBits } from '../../../helpers/same-bits.ts';

afterAll(() => setBackend('wasm'));

/** Rows, and columns in blocks and beside them; some of several parts. */
const calls = fc.record({
  before: fc.integer({ min: 1, max: 40 }),
  length: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 1500 })),
  after: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 50 })),
  exclusive: fc.boolean(),
  reverse: fc.boolean(),
  seed: seeds,
});

type Call = typeof calls extends fc.Arbitrary<infer C> ? C : never;

function sums(call: Call, dtype: 'float32' | 'float64'): [Tensor, Tensor] {
  const { before, length, after, exclusive, reverse, seed } = call;
  const shape = [before, length, after];
  const x = tensor(random(shape, seed).data, { shape, dtype, requiresGrad: true });
  const y = cumsum(x, 1, { exclusive, reverse });
  y.backward(tensor(random(shape, seed + 1).data, { shape, dtype }));
  return [y, x.grad as Tensor];
}

test('sums and their gradients are those of float64, rounded', async () => {
  await fc.assert(
    fc.asyncProperty(calls, async (call) => {
      await setBackend('reference');
      const expected = sums(call, 'float64');
      await setBackend('wasm');
      sums(call, 'float32').forEach(({ data }, i) => {
        const wrong = data.findIndex((value, k) => {
          const exact = expected[i].data[k];
          // Half a unit of the last place, and what float64 loses where terms cancel.
          return Math.abs(value - exact) > 6e-8 * Math.abs(exact) + 1e-12;
        });
        expect(wrong).toBe(-1);
      });
    }),
    { numRuns: 60 },
  );
}, 60_000);

test('infinities and NaN go on from where they are', async () => {
  const x = Float32Array.of(1, 2, 3, Number.POSITIVE_INFINITY, 5, 6, Number.NEGATIVE_INFINITY, 1);
  for (const backend of ['reference', 'wasm']) {
    await setBackend(backend);
    expect([...cumsum(tensor(x)).data]).toEqual([1, 3, 6, ...Array(3).fill(Infinity), NaN, NaN]);
  }
});

test('any number of threads and lanes gives the same bits', async () => {
  const all = fc.sample(calls, { numRuns: 15, seed: 20161104 });
  await expectSameBits(() => all.flatMap((call) => sums(call, 'float32').map(({ data }) => data)));
}, 60_000);
