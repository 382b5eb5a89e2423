import {
  argmax,
  argmin,
  cast,
  ceil,
  type DType,
  equal,
  floor,
  Generator,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  notEqual,
  round,
  setBackend,
  setThreads,
  sign,
  type Tensor,
  tensor,
  tidy,
  where,
} from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeds } from '../../../helpers/arbitraries.ts';

/** Operations that do not round: on `wasm` they give the bits of `reference`, whatever is computed at once. */

afterAll(() => setBackend('wasm'));

const VARIANTS = [
  { threads: 1, wideVectors: false },
  { threads: 3, wideVectors: true },
];

/** Numbers where something changes; of most dtypes not all can be held. */
const BORDERS = [
  ...[0, -0, 0.5, -0.5, 1.5, 2.5, -1, 3, 127, 128, 255, 256, -257, 32_767.5, 65_536, 2 ** 23 + 1],
  ...[2 ** 31 - 128, 2 ** 31, -(2 ** 31), 2 ** 31 + 256, 2 ** 32 + 512, -(2 ** 40), 3e9, -3e38],
  ...[1e-45, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
];

const WRAPPED = { int32: Int32Array, uint8: Uint8Array, int8: Int8Array } as const;

/** Numbers among which many are equal, many are borders, and some are random. */
function numbers(shape: readonly number[], dtype: DType, seed: number): Tensor {
  const count = shape.reduce((product, length) => product * length, 1);
  const draws = new Generator(seed).uniform(count, { low: 0, high: 2 * BORDERS.length });
  const values = draws.map((draw) => BORDERS[Math.floor(draw)] ?? (draw % 1) * 1000 - 500);
  if (dtype === 'bool') return tensor(Float32Array.from(values, Number), { shape, dtype });
  const Wrapped = WRAPPED[dtype as keyof typeof WRAPPED] ?? Float32Array;
  return tensor(Wrapped.from(values), { shape, dtype });
}

/** Two dtypes that go together, or the same twice. */
const DTYPES: readonly (readonly [DType, DType])[] = [
  ['float32', 'float32'],
  ['int32', 'int32'],
  ['uint8', 'uint8'],
  ['bool', 'bool'],
  ['bool', 'uint8'],
  ['int8', 'int8'],
  ['float32', 'int32'],
];

/** Three shapes that broadcast: axes of length 1, missing ones, scalars, and some over several parts. */
const broadcasting = fc
  .oneof(
    { weight: 8, arbitrary: fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 6 }) },
    { weight: 1, arbitrary: fc.constantFrom([17_001], [2, 90, 101], [4, 5000]) },
  )
  .chain((shape) => {
    const stretched = fc
      .tuple(fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), fc.nat({ max: shape.length }))
      .map(([ones, dropped]) => shape.map((n, axis) => (ones[axis] ? 1 : n)).slice(dropped));
    const one = fc.oneof(fc.constant(shape), stretched, fc.constant([]));
    return fc.tuple(one, one, one);
  });

const calls = fc.record({
  shapes: broadcasting,
  dtypes: fc.constantFrom(...DTYPES),
  seed: seeds,
});

type Operation = (a: Tensor, b: Tensor, condition: Tensor) => Tensor;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...{ equal, notEqual, greater, greaterEqual, less, lessEqual },
  ...{ logicalAnd, logicalOr, logicalXor },
  'greater than a number': (a) => greater(a, 1),
  'equal to a number': (a) => equal(255, a),
  logicalNot,
  where: (a, b, condition) => where(condition, a, b),
  argmax: (a) => argmax(a),
  argmin: (a) => argmin(a),
  'argmax of rows': (a) => argmax(a, a.rank === 0 ? undefined : -1),
  'argmin of the first axis': (a) => argmin(a, a.rank === 0 ? undefined : 0),
  'argmax of columns': (a) => argmax(a, a.rank < 2 ? undefined : -2),
  'cast to float32': (a) => cast(a, 'float32'),
  'cast to int32': (a) => cast(a, 'int32'),
  'cast to uint8': (a) => cast(a, 'uint8'),
  'cast to bool': (a) => cast(a, 'bool'),
  ...{ sign, floor, ceil, round },
  'where of numbers': (a, _, condition) => where(condition, 7, a),
};

const SAMPLE = fc.sample(calls, { seed: 20161104, numRuns: 30 }).map((call) => {
  const [shapeA, shapeB, shapeC] = call.shapes;
  const a = numbers(shapeA, call.dtypes[0], call.seed);
  const b = numbers(shapeB, call.dtypes[1], call.seed + 1);
  return { call, operands: [a, b, numbers(shapeC, 'bool', call.seed + 2)] as const };
});

const ENTRIES = Object.entries(OPERATIONS);

await setBackend('reference');
const EXPECTED = Object.fromEntries(
  ENTRIES.map(([name, run]) => [name, SAMPLE.map(({ operands }) => run(...operands))]),
);

describe.each(VARIANTS)('on $threads threads, wide vectors: $wideVectors', (variant) => {
  beforeAll(async () => {
    await setBackend('wasm', { wideVectors: variant.wideVectors });
    setThreads(variant.threads);
  });

  test.each(ENTRIES)('%s', (name, run) => {
    SAMPLE.forEach(({ call, operands }, i) => {
      // Within a scope, arrays lie in the memory that is taken again, behind what was there before.
      const actual = i % 3 === 0 ? run(...operands) : tidy(() => run(...operands));
      const { dtype, shape, data } = EXPECTED[name][i];
      expect([actual.dtype, actual.shape]).toEqual([dtype, shape]);
      const { data: elements } = actual;
      const wrong = data.findIndex((value, at) => !Object.is(value, elements[at]));
      expect(wrong, JSON.stringify(call)).toBe(-1);
    });
  });
});
