import {
  groupNorm,
  instanceNorm,
  layerNorm,
  rmsNorm,
  setBackend,
  type Tensor,
  tensor,
} from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { seeds } from '../../../helpers/arbitraries.ts';
import { random } from '../../../helpers/evaluate.ts';
import { relativeError } from '../../../helpers/relative-error.ts';
import { expectSameBits } from '../../../helpers/same-bits.ts';

afterAll(() => setBackend('wasm'));

interface Call {
  readonly norm: 'layerNorm' | 'rmsNorm' | 'groupNorm' | 'instanceNorm';
  readonly rows: number;
  readonly length: number;
  readonly hasWeight: boolean;
  readonly hasBias: boolean;
  readonly seed: number;
}

/** Rows of vectors alone, of single elements alone and of both, in one part or several. */
const calls: fc.Arbitrary<Call> = fc.record({
  norm: fc.constantFrom('layerNorm', 'rmsNorm', 'groupNorm', 'instanceNorm'),
  rows: fc.integer({ min: 1, max: 70 }),
  length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 120, max: 400 })),
  hasWeight: fc.boolean(),
  hasBias: fc.boolean(),
  seed: seeds,
});

/** Output and gradients. */
function evaluate(call: Call, dtype: 'float32' | 'float64'): Tensor[] {
  const { norm, rows, length, hasWeight, hasBias, seed } = call;
  const numbers = (shape: readonly number[], offset: number): Tensor =>
    tensor(random(shape, seed + offset).data, { shape, dtype, requiresGrad: true });
  const ofRows = norm === 'layerNorm' || norm === 'rmsNorm';
  const channels = norm === 'groupNorm' ? 4 : 2;
  const x = numbers(ofRows ? [rows, length] : [rows, channels, length], 0);
  const size = [ofRows ? length : channels];
  const weight = hasWeight ? numbers(size, 1) : null;
  const bias = hasBias && norm !== 'rmsNorm' ? numbers(size, 2) : null;
  const options = { epsilon: 0.1 };
  const y = {
    layerNorm: () => layerNorm(x, weight, bias, options),
    rmsNorm: () => rmsNorm(x, weight, options),
    groupNorm: () => groupNorm(x, 2, weight, bias, options),
    instanceNorm: () => instanceNorm(x, weight, bias, options),
  }[norm]();
  y.backward(numbers(y.shape, 3).detach());
  return [y, ...[x, weight, bias].flatMap((input) => input?.grad ?? [])];
}

test('norms of long and short rows equal the reference in float64', async () => {
  await fc.assert(
    fc.asyncProperty(calls, async (call) => {
      await setBackend('reference');
      const expected = evaluate(call, 'float64');
      await setBackend('wasm');
      const actual = evaluate(call, 'float32');
      expect(actual.length).toBe(expected.length);
      actual.forEach(({ data }, i) => {
        expect(relativeError(data, expected[i].data)).toBeLessThan(2e-5);
      });
    }),
    { numRuns: 40 },
  );
}, 60_000);

test('any number of threads and lanes gives the same bits', async () => {
  const all = fc.sample(calls, { numRuns: 20, seed: 20161104 });
  await expectSameBits(() =>
    all.flatMap((call) => evaluate(call, 'float32').map(({ data }) => data)),
  );
}, 60_000);

test('a row far from 0 keeps its digits', async () => {
  await setBackend('wasm');
  const x = tensor(Float32Array.from({ length: 999 }, (_, i) => 1000 + (i % 7)));
  const y = layerNorm(x).data;
  await setBackend('reference');
  const expected = layerNorm(tensor(Float64Array.from(x.data))).data;
  expect(relativeError(y, expected)).toBeLessThan(2e-5);
});
