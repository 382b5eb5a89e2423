import { readFile } from 'node:fs/promises';
import {
  abs,
  add,
  type DType,
  equal,
  full,
  greater,
  greaterEqual,
  less,
  lessEqual,
  matmul,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  neg,
  notEqual,
  pow,
  setBackend,
  sub,
  sum,
  type Tensor,
  tensor,
  ValueError,
} from '@firelight/tensor';
import { describe, expect, test } from 'vitest';

const UNARY: Readonly<Record<string, (x: Tensor) => Tensor>> = { neg, abs, sum, mean, max, min };
const BINARY: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>> = {
  ...{ add, sub, mul, maximum, minimum, pow },
  ...{ equal, notEqual, greater, greaterEqual, less, lessEqual },
};

interface Elements {
  readonly dtype: DType;
  readonly values: readonly (number | boolean | string)[];
}

interface Case extends Elements {
  readonly op: string;
  readonly inputs: readonly Elements[];
}

interface Fixture {
  readonly cases: readonly Case[];
  readonly longSum: { readonly count: number; readonly value: number; readonly sum: number };
}

const path = new URL('../../fixtures/integers/expected.json', import.meta.url);
const { cases, longSum } = JSON.parse(await readFile(path, 'utf8')) as Fixture;

const make = ({ dtype, values }: Elements): Tensor => tensor(values.map(Number), { dtype });
const int = (...values: number[]): Tensor => tensor(values, { dtype: 'int32' });

describe.each(['reference', 'wasm'])('on %s', (backend) => {
  test.each(
    cases.map((one) => ({ ...one, title: `${one.op} of ${one.inputs.map(({ dtype }) => dtype)}` })),
  )('$title as NumPy', async ({ op, inputs, dtype, values }) => {
    await setBackend(backend);
    const [a, b] = inputs.map(make);
    const y = b === undefined ? UNARY[op](a) : BINARY[op](a, b);
    expect(y.dtype).toBe(dtype);
    expect(Array.from(y.data)).toEqual(values.map(Number));
  });

  test('a sum beyond 2⁵³ keeps its lower bits', async () => {
    await setBackend(backend);
    const long = full([longSum.count], longSum.value, { dtype: 'int32' });
    expect(sum(long).item()).toBe(longSum.sum);
    expect(mean(long).item()).toBe(Math.fround(longSum.value));
  });
});

test('products and powers wrap modulo 2³²', () => {
  expect(mul(int(2147483647), 2147483647).item()).toBe(1);
  expect(pow(int(7), 30).item()).toBe(1878557649);
  expect(pow(7, int(30)).item()).toBe(1878557649);
  expect(pow(int(0, -3), 0).toArray()).toEqual([1, 1]);
  expect(pow(tensor([true, false]), tensor([false, true])).toArray()).toEqual([1, 0]);
});

test('the mean rounds the exact sum', () => {
  // Each of these rounds down to 16777216 as a float32.
  expect(mean(int(16777217, 16777217, 16777218)).item()).toBe(16777218);
});

test('a negative power of integers is refused', () => {
  for (const act of [
    () => pow(int(2, 3), -1),
    () => pow(2, int(3, -2)),
    () => pow(tensor([2], { dtype: 'uint8' }), -3),
  ]) {
    expect(act).toThrow(ValueError);
    expect(act).toThrow(/pow: integers have no integer power of -\d; cast the base to float32/);
  }
  expect(pow(tensor([2]), int(-1)).item()).toBe(0.5);
});

test('matmul of integers is int32, which wraps', () => {
  const product = matmul(int(1, -2), int(3, 4));
  expect([product.dtype, product.item()]).toEqual(['int32', -5]);
  expect(matmul(int(2 ** 31 - 1, 2 ** 31 - 1), int(2 ** 31 - 1, 3)).item()).toBe(
    Number(BigInt.asIntN(32, (2n ** 31n - 1n) * (2n ** 31n + 2n))),
  );
  const bytes = tensor(new Uint8Array([200, 200]));
  expect(matmul(bytes, bytes).item()).toBe(80_000);
  expect(matmul(tensor([true, true]), int(2, 3)).item()).toBe(5);
  expect(() => matmul(int(1, 2), tensor([1, 2]))).toThrow(/matmul: needs float32 or float64/);
});

describe('a number beside integers', () => {
  const byte = tensor([5], { dtype: 'uint8' });
  const yes = tensor([true]);

  test.each<[what: string, y: () => Tensor, dtype: DType, value: number]>([
    ['fits', () => add(byte, 255), 'uint8', 4],
    ['is too large', () => maximum(byte, 300), 'int32', 300],
    ['is negative', () => minimum(-1, byte), 'int32', -1],
    ['is negative, in a sum', () => add(byte, -6), 'int32', -1],
    ['is beyond int32', () => maximum(int(5), 2 ** 31 + 1), 'float64', 2 ** 31 + 1],
    ['is a fraction', () => maximum(byte, 5.5), 'float32', 5.5],
    ['is infinite', () => minimum(int(7), Number.POSITIVE_INFINITY), 'float32', 7],
    ['stands in an array', () => sum(maximum(byte, [300, 2])), 'int32', 305],
    ['meets a boolean', () => add(yes, 1), 'int32', 2],
    ['is too large for a boolean', () => maximum(yes, 2), 'int32', 2],
    ['is a boolean', () => add(byte, true), 'uint8', 6],
  ])('%s', (_, y, dtype, value) => {
    const { dtype: actual } = y();
    expect([actual, y().item()]).toEqual([dtype, value]);
  });
});
