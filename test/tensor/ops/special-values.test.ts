import {
  add,
  broadcastTo,
  type DType,
  div,
  logSoftmax,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  pow,
  setBackend,
  softmax,
  softmaxCrossEntropy,
  sub,
  sum,
  type Tensor,
  tensor,
} from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import expected from '../../fixtures/special-values/expected.json' with { type: 'json' };
import { UNARY_ENTRIES } from './unary-functions.ts';

/** Numbers of the fixture, which are texts because JSON has no NaN. */
const listOf = (text: string): number[] => text.split(' ').map(Number);

const BINARY: Readonly<Record<keyof typeof expected.binary, (a: Tensor, b: Tensor) => Tensor>> = {
  add,
  div,
  maximum,
  minimum,
  mul,
  pow,
  sub,
};

const LINES: Readonly<Record<keyof typeof expected.lines.ops, (x: Tensor) => Tensor>> = {
  logSoftmax,
  max: (x) => max(x, 1),
  mean: (x) => mean(x, 1),
  min: (x) => min(x, 1),
  softmax,
  softmaxCrossEntropy: (x) => softmaxCrossEntropy(x, tensor(new Int32Array(x.shape[0]).fill(1))),
  sum: (x) => sum(x, 1),
};

interface Arithmetic {
  readonly dtype: DType & ('float32' | 'float64');
  /** Largest error, relative. */
  readonly tolerance: number;
  /** Smallest number that has all its digits. */
  readonly smallest: number;
}

const FLOAT64: Arithmetic = { dtype: 'float64', tolerance: 1e-11, smallest: 0 };
// Below, denormal numbers have fewer digits, and silu multiplies one by its argument.
const FLOAT32: Arithmetic = { dtype: 'float32', tolerance: 2e-6, smallest: 1e-36 };

function describeNumber(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Expects the numbers of the fixture; `signed` zeros have the sign that is listed. */
function expectNumbers(
  actual: Tensor | null,
  text: string,
  { dtype, tolerance, smallest }: Arithmetic,
  { signed = false } = {},
): void {
  const listed = listOf(text);
  const values = Array.from(actual?.data ?? []);
  expect(values).toHaveLength(listed.length);
  const wrong = values.flatMap((value, i) => {
    const exact = dtype === 'float32' ? Math.fround(listed[i]) : listed[i];
    const isEqual = Number.isFinite(exact)
      ? Math.abs(value - exact) <= tolerance * Math.max(Math.abs(exact), smallest)
      : Object.is(value, exact);
    const hasSign = !signed || exact !== 0 || Object.is(value, exact);
    return isEqual && hasSign
      ? []
      : [`[${i}] ${describeNumber(value)}, not ${describeNumber(listed[i])}`];
  });
  expect(wrong).toEqual([]);
}

function numbersOf(text: string, { dtype }: Arithmetic, lineLength?: number): Tensor {
  const values = listOf(text);
  const { length } = values;
  const shape = lineLength === undefined ? [length] : [length / lineLength, lineLength];
  return tensor(values, { shape, dtype, requiresGrad: true });
}

const filled = ({ size, shape, dtype }: Tensor, value: number): Tensor =>
  tensor(new Float64Array(size).fill(value), { shape, dtype });

describe.each([
  ['reference', {}, FLOAT64],
  ['reference', {}, FLOAT32],
  ['wasm', {}, FLOAT32],
  ['wasm', { relaxedSimd: false }, FLOAT32],
] as const)('as PyTorch in float64: %s, %j, %j', (backend, options, arithmetic) => {
  beforeAll(() => setBackend(backend, options));
  afterAll(() => setBackend('wasm'));

  test.each(UNARY_ENTRIES)('%s', (name, run) => {
    for (const { x, y, gradOut, gradIn } of expected.unary[name]) {
      const leaf = numbersOf(x, arithmetic);
      const result = run(leaf);
      result.backward(filled(result, Number(gradOut)));
      expectNumbers(result, y, arithmetic, { signed: true });
      expectNumbers(leaf.grad, gradIn, arithmetic);
    }
  });

  test.each(Object.entries(BINARY))('%s', (name, run) => {
    // Which of two zeros is the larger is not defined.
    const signed = name !== 'maximum' && name !== 'minimum';
    for (const { a, b, y, gradOut, gradA, gradB } of expected.binary[name as keyof typeof BINARY]) {
      const [left, right] = [numbersOf(a, arithmetic), numbersOf(b, arithmetic)];
      const result = run(left, right);
      result.backward(filled(result, Number(gradOut)));
      expectNumbers(result, y, arithmetic, { signed });
      expectNumbers(left.grad, gradA, arithmetic);
      expectNumbers(right.grad, gradB, arithmetic);
    }
  });

  test.each(Object.entries(LINES))('%s', (name, run) => {
    const { x, gradOut, ops } = expected.lines;
    const { y, gradIn } = ops[name as keyof typeof LINES];
    const gradients = listOf(gradOut);
    const leaf = numbersOf(x, arithmetic, gradients.length);
    const result = run(leaf);
    const { shape, dtype } = result;
    const ofLine = tensor(gradients, { dtype });
    result.backward(result.rank === 1 ? filled(result, 1) : broadcastTo(ofLine, shape));
    expectNumbers(result, y, arithmetic);
    expectNumbers(leaf.grad, gradIn, arithmetic);
  });

  test('a small cross-entropy keeps its digits', () => {
    for (const margin of [1, 4, 8, 12, 15]) {
      const logits = tensor([[margin, 0, 0]], { dtype: arithmetic.dtype });
      const loss = softmaxCrossEntropy(logits, tensor([0], { dtype: 'int32' })).item();
      const exact = Math.log1p(2 * Math.exp(-margin));
      expect(Math.abs(loss / exact - 1)).toBeLessThan(2e-6);
      expect(Math.abs(logSoftmax(logits).data[0] / -exact - 1)).toBeLessThan(2e-6);
    }
  });
});
