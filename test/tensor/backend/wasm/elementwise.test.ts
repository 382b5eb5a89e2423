import { ones, setBackend, type Tensor, tensor } from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { UNARY_ENTRIES } from '../../ops/unary-functions.ts';

afterAll(() => setBackend('wasm'));

/** Dense around 0, then out to where float32 overflows and underflows. */
const ordinary = Float32Array.from({ length: 20_001 }, (_, i) => {
  const t = (i - 10_000) / 10_000;
  return Math.sign(t) * Math.abs(t) ** 3 * 110;
});
const special = [
  0,
  -0,
  1,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e-45,
  1e-40,
  3.4e38,
  -3.4e38,
  88.7,
  88.8,
  -87.4,
  -103,
  -105,
];

async function both(f: (x: Tensor) => Tensor, values: Float32Array): Promise<[number[], number[]]> {
  await setBackend('reference');
  // In float64, so that only the error of the fast function counts.
  const expected = [...f(tensor(Float64Array.from(values))).data];
  await setBackend('wasm');
  return [expected, [...f(tensor(values)).data]];
}

describe.each(UNARY_ENTRIES)('%s', (_, f) => {
  test('has float32 precision', async () => {
    const [expected, actual] = await both(f, ordinary);
    expected.forEach((value, i) => {
      if (Math.abs(value) > 3.4e38) expect(Math.abs(actual[i])).toBe(Number.POSITIVE_INFINITY);
      else if (Number.isNaN(value)) expect(actual[i]).toBeNaN();
      else {
        // Below, denormal numbers have fewer digits, and silu multiplies one by its argument.
        const scale = Math.max(Math.abs(value), 1e-36);
        expect(Math.abs(actual[i] - value) / scale).toBeLessThan(2e-6);
      }
    });
  });

  test('has a derivative of float32 precision', async () => {
    const slopes = async (backend: string, values: Float32Array | Float64Array) => {
      await setBackend(backend);
      const x = tensor(values, { requiresGrad: true });
      f(x).backward(ones([values.length], { dtype: x.dtype }));
      return [...(x.grad as Tensor).data];
    };
    const expected = await slopes('reference', Float64Array.from(ordinary));
    const actual = await slopes('wasm', ordinary);
    expected.forEach((value, i) => {
      if (Math.abs(value) > 3.4e38) expect(Math.abs(actual[i])).toBe(Number.POSITIVE_INFINITY);
      else if (Number.isNaN(value)) expect(actual[i]).toBeNaN();
      else {
        // Between 0 and −3 the derivatives of gelu and silu pass through 0.
        const hasRoot = ordinary[i] < 0 && ordinary[i] > -3;
        const scale = Math.max(Math.abs(value), hasRoot ? 0.1 : 1e-36);
        expect(Math.abs(actual[i] - value) / scale).toBeLessThan(2e-6);
      }
    });
  });

  test('treats zero, infinities and NaN like the definition', async () => {
    const [expected, actual] = await both(f, Float32Array.from(special));
    special.forEach((x, i) => {
      const value = Math.fround(expected[i]);
      const isExact = !Number.isFinite(value) || value === 0;
      if (isExact) expect([x, actual[i] + 0]).toEqual([x, value + 0]);
      else expect(Math.abs(actual[i] - value)).toBeLessThanOrEqual(Math.abs(value) * 1e-6 + 1e-42);
    });
  });
});
