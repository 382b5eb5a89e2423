import {
  isFinite as areFinite,
  isNaN as areNaN,
  ceil,
  clip,
  equal,
  floor,
  gelu,
  hardShrink,
  hardSigmoid,
  isInf,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  mod,
  prelu,
  relu6,
  round,
  ShapeError,
  setBackend,
  sign,
  softShrink,
  square,
  sum,
  type Tensor,
  tensor,
  thresholdedRelu,
} from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import expected from '../../fixtures/pointwise/expected.json' with { type: 'json' };
import { POINTWISE_FUNCTIONS } from './pointwise-functions.ts';

type Name = keyof typeof expected;

const numbersOf = (text: string): number[] => text.split(' ').map(Number);

/** Those whose case multiplies by x, so that there is a gradient to check. */
const STEPS: Readonly<Record<string, (x: Tensor) => Tensor>> = { ceil, floor, round, sign };

/** The numbers that differ from those of the fixture, beyond a relative error. */
function differing(actual: Tensor | null, text: string, tolerance: number): string[] {
  const values = Array.from(actual?.data ?? []);
  const numbers = numbersOf(text);
  expect(values).toHaveLength(numbers.length);
  return values.flatMap((value, i) => {
    const exact = numbers[i];
    const isSame = Number.isFinite(exact)
      ? Math.abs(value - exact) <= tolerance * Math.max(Math.abs(exact), 1e-6)
      : Object.is(value, exact);
    return isSame ? [] : [`[${i}] ${value}, not ${exact}`];
  });
}

describe('functions and derivatives are those of PyTorch', () => {
  afterAll(() => setBackend('wasm'));
  test.each(Object.keys(expected) as Name[])('%s', async (name) => {
    const run = STEPS[name] ?? POINTWISE_FUNCTIONS[name].run;
    const { x: inputs, y: outputs, gradIn } = expected[name];
    for (const [backend, dtype, tolerance] of [
      ['reference', 'float64', 1e-9],
      ['wasm', 'float32', 4e-6],
    ] as const) {
      await setBackend(backend);
      // In float32 the inputs are rounded, which functions amplify where they are steep.
      const x = tensor(numbersOf(inputs), { dtype, requiresGrad: true });
      const y = run(x);
      sum(y).backward();
      const far = dtype === 'float32' && ['tan', 'acos', 'asin', 'atanh', 'acosh'].includes(name);
      expect(differing(y, outputs, far ? 1e-4 : tolerance)).toEqual([]);
      expect(differing(x.grad, gradIn, far ? 1e-3 : tolerance)).toEqual([]);
    }
  });
});

describe('known values', () => {
  test('round goes to the even one of two', () => {
    const halves = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5];
    expect(round(tensor(halves)).toArray()).toEqual([-2, -2, -0, 0, 2, 2, 4]);
  });

  test('steps and squares of integers are integers', () => {
    const x = tensor([-3, 0, 4], { dtype: 'int32' });
    for (const f of [sign, floor, ceil, round, square]) expect(f(x).dtype).toBe('int32');
    expect(square(x).toArray()).toEqual([9, 0, 16]);
    expect(sign(tensor([true, false])).toArray()).toEqual([1, 0]);
  });

  test('clip takes either bound or both, and max where they cross', () => {
    const x = tensor([-2, 0.5, 7, Number.NaN]);
    expect(clip(x, { min: 0 }).toArray()).toEqual([0, 0.5, 7, Number.NaN]);
    expect(clip(x, { max: 1 }).toArray()).toEqual([-2, 0.5, 1, Number.NaN]);
    expect(clip(tensor([-2, 5, 7]), { min: 6, max: 1 }).toArray()).toEqual([1, 1, 1]);
    expect(relu6(tensor([-1, 3, 8])).toArray()).toEqual([0, 3, 6]);
    expect(clip(tensor([-5, 9], { dtype: 'int32' }), { min: -1, max: 3 }).toArray()).toEqual([
      -1, 3,
    ]);
    expect(clip(tensor(new Uint8Array([1, 200])), { max: 100 }).dtype).toBe('uint8');
  });

  test('clip passes the gradient at its bounds', () => {
    const x = tensor([-1, 0, 1, 3, 4], { requiresGrad: true });
    sum(clip(x, { min: 0, max: 3 })).backward();
    expect(x.grad?.toArray()).toEqual([0, 1, 1, 1, 0]);
  });

  test('relu6 has no gradient at its bounds, as relu at 0', () => {
    const x = tensor([-1, 0, 1, 6, 7], { requiresGrad: true });
    sum(relu6(x)).backward();
    expect(x.grad?.toArray()).toEqual([0, 0, 1, 0, 0]);
  });

  test('mod has the sign of the divisor, or of the dividend', () => {
    const a = tensor([5, -5, 5, -5, 0.5]);
    const b = tensor([3, 3, -3, -3, -1]);
    expect(mod(a, b).toArray()).toEqual([2, 1, -1, -2, -0.5]);
    expect(mod(a, b, { sign: 'dividend' }).toArray()).toEqual([2, -2, 2, -2, 0.5]);
    const integers = mod(tensor([7, -7], { dtype: 'int32' }), tensor([4, 4], { dtype: 'int32' }));
    expect([integers.dtype, integers.toArray()]).toEqual(['int32', [3, 1]]);
  });

  test('mod goes down in b by the quotient', () => {
    const [a, b] = [tensor([7.5], { requiresGrad: true }), tensor([2], { requiresGrad: true })];
    sum(mod(a, b)).backward();
    expect([a.grad?.item(), b.grad?.item()]).toEqual([1, -3]);
  });

  test('prelu, shrinks and thresholds', () => {
    const x = tensor([-2, -0.5, 0, 0.5, 2]);
    expect(prelu(x, 0.25).toArray()).toEqual([-0.5, -0.125, 0, 0.5, 2]);
    expect(prelu(tensor([[[-1], [-1]]]), [1, 3]).toArray()).toEqual(
      [[[-1], [-1]]].map(() => [[-1], [-3]]),
    );
    const [far, slope] = [
      tensor([Infinity, 1], { requiresGrad: true }),
      tensor(Infinity, { requiresGrad: true }),
    ];
    sum(prelu(far, slope)).backward();
    expect([far.grad?.toArray(), slope.grad?.item()]).toEqual([[1, 1], 0]);
    expect(hardShrink(x).toArray()).toEqual([-2, 0, 0, 0, 2]);
    expect(softShrink(x, { lambda: 1 }).toArray()).toEqual([-1, 0, 0, 0, 1]);
    expect(thresholdedRelu(x, { alpha: 0.4 }).toArray()).toEqual([0, 0, 0, 0.5, 2]);
  });

  test('tests of numbers, and logic of whatever is not 0', () => {
    const x = tensor([1, Number.NaN, Infinity, -Infinity, 0]);
    expect(areNaN(x).toArray()).toEqual([false, true, false, false, false]);
    expect(isInf(x).toArray()).toEqual([false, false, true, true, false]);
    expect(areFinite(x).toArray()).toEqual([true, false, false, false, true]);
    const [a, b] = [tensor([0, 0, 2, -1]), tensor([false, true, false, true])];
    expect(logicalAnd(a, b).toArray()).toEqual([false, false, false, true]);
    expect(logicalOr(a, b).toArray()).toEqual([false, true, true, true]);
    expect(logicalXor(a, b).toArray()).toEqual([false, true, true, false]);
    expect(logicalNot(a).toArray()).toEqual([true, true, false, false]);
    expect(logicalAnd(tensor([[1], [0]]), [1, 0]).shape).toEqual([2, 2]);
    expect(equal(areNaN(tensor([1], { requiresGrad: true })), false).requiresGrad).toBe(false);
  });
});

test('bad options are refused in a sentence', () => {
  expect(() => clip([1], { min: Number.NaN })).toThrow('clip: min must be a number, got NaN');
  expect(() => clip(tensor([1], { dtype: 'int32' }), { max: 0.5 })).toThrow(/clip: int32 holds/);
  const byte = tensor(new Uint8Array([7]));
  expect(() => clip(byte, { max: -1 })).toThrow(/clip: uint8 holds .*, got -1/);
  expect(() => clip(byte, { min: 300 })).toThrow(/clip: uint8 holds .*, got 300/);
  expect(() => clip(byte, { min: Infinity })).toThrow(/clip: uint8 holds/);
  expect(clip(byte, { min: -Infinity, max: 5 }).item()).toBe(5);
  expect([clip(byte).item(), clip(byte, {}).dtype]).toEqual([7, 'uint8']);
  expect(() => gelu([1], { approximate: 'sigmoid' as never })).toThrow(
    "gelu: approximate must be 'none' or 'tanh', got 'sigmoid'",
  );
  expect(() => hardSigmoid([1], { alpha: Infinity })).toThrow(/alpha must be a finite number/);
  expect(() => mod([1], [2], { sign: 'both' as never })).toThrow(/'divisor' or 'dividend'/);
  expect(() => prelu(tensor([[1, 2]]), [1, 2, 3])).toThrow(ShapeError);
});
