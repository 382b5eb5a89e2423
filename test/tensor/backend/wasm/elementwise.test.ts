import { ones, pow, setBackend, type Tensor, tensor } from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { POINTWISE_ENTRIES } from '../../ops/pointwise-functions.ts';
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

/** The same, numbers next to the zeros of sine and cosine, and of every size: every 100,003rd of all bits. */
const all = new Float32Array([
  ...ordinary,
  ...Array.from({ length: 4000 }, (_, k) => k ** 2 * (Math.PI / 2)),
  ...new Float32Array(Uint32Array.from({ length: 42_947 }, (_, i) => i * 100_003).buffer).filter(
    Number.isFinite,
  ),
]);

/** How many units of the last place of float32 a result may be off; 4, and derivatives 6, if not here. */
const BOUNDS: Readonly<Record<string, number>> = {
  gelu: 4.5,
  // e^(x / alpha) magnifies the rounding of its argument, which reaches 87.
  celuSlope: 100,
  geluTanhSlope: 10,
  mishSlope: 10,
  cos: 1.6,
  cosSlope: 1.6,
  sin: 1.6,
  sinSlope: 1.6,
};

/** The unit of a number's last place. Products with denormal numbers have as few digits as those. */
function lastPlace(x: number): number {
  return 2 ** (Math.floor(Math.log2(Math.max(Math.abs(x), 2 ** -119))) - 23);
}

/** Greatest error in units of the last place, with the number where it is. */
function worstError(
  actual: readonly number[],
  expected: readonly number[],
  scaleAt: (x: number) => number = () => 0,
): { error: number; x: number } {
  let worst = { error: 0, x: 0 };
  expected.forEach((value, i) => {
    const rounded = Math.fround(value);
    if (Object.is(actual[i], rounded)) return;
    // Infinities and NaN have to be the same.
    const unit = Number.isFinite(rounded)
      ? lastPlace(Math.max(Math.abs(value), scaleAt(all[i])))
      : 0;
    const error = actual[i] === rounded ? 0 : Math.abs(actual[i] - value) / unit;
    if (!(error <= worst.error)) worst = { error, x: all[i] };
  });
  return worst;
}

describe.each([...UNARY_ENTRIES, ...POINTWISE_ENTRIES])('%s', (name, f) => {
  test('has the digits of float32', async () => {
    const [expected, actual] = await both(f, all);
    const { error, x } = worstError(actual, expected);
    expect(error, `at ${x}`).toBeLessThan(BOUNDS[name] ?? 4);
  });

  test('has a derivative with the digits of float32', async () => {
    const slopes = async (backend: string, values: Float32Array | Float64Array) => {
      await setBackend(backend);
      const x = tensor(values, { requiresGrad: true });
      f(x).backward(ones([values.length], { dtype: x.dtype }));
      return [...(x.grad as Tensor).data];
    };
    const expected = await slopes('reference', Float64Array.from(all));
    const actual = await slopes('wasm', all);
    // Between 0 and −3 the derivatives of gelu, silu and mish pass through 0.
    const { error, x } = worstError(actual, expected, (at) => (at < 0 && at > -3 ? 0.1 : 0));
    expect(error, `at ${x}`).toBeLessThan(BOUNDS[`${name}Slope`] ?? 6);
  });
});

describe.each(UNARY_ENTRIES)('%s', (_, f) => {
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

test('pow is right to one unit of the last place, and exact where the definition is', async () => {
  const borders = [...special, 2, -2, 3, -3, 0.5, -0.5, 2 ** 24, 1 - 2 ** -24, 1 + 2 ** -23];
  const exponents = [...borders, 2 ** 24 + 2, 2.5, -7, 127, -149, 1 / 3];
  const pairs = borders.flatMap((x) => exponents.map((y) => [x, y] as const));
  // Spread so that results are of every size, and some of the bases negative.
  const spread = Array.from(ordinary, (t, i) => [i % 7 === 0 ? t : Math.abs(t), (i % 64) - 31.5]);
  const [bases, powers] = [0, 1].map((k) =>
    Float32Array.from([...pairs, ...spread], (pair) => pair[k]),
  );
  await setBackend('reference');
  const expected = [...pow(tensor(Float64Array.from(bases)), Float64Array.from(powers)).data];
  for (const options of [{}, { relaxedSimd: false }]) {
    await setBackend('wasm', options);
    const actual = [...pow(tensor(bases), powers).data];
    const wrong = actual.findIndex((value, i) => {
      const rounded = Math.fround(expected[i]);
      if (Object.is(value, rounded)) return false;
      const unit = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(expected[i]), 2 ** -126))) - 23);
      return !(Number.isFinite(rounded) && Math.abs(value - expected[i]) <= unit);
    });
    expect(wrong < 0 ? null : [bases[wrong], powers[wrong], actual[wrong]]).toBeNull();
    // A scalar 2 multiplies.
    const squares = Float32Array.from(bases, (x) => x * x);
    expect(pow(tensor(bases), 2).data).toEqual(squares);
  }
});
