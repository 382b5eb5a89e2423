import {
  AutogradError,
  add,
  assign,
  cast,
  concat,
  DTYPES,
  type DType,
  DTypeError,
  equal,
  eye,
  full,
  gather,
  oneHot,
  ones,
  rand,
  reshape,
  setBackend,
  softmaxCrossEntropy,
  sum,
  Tensor,
  tensor,
  ValueError,
  where,
  zeros,
} from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORMATS, roundedTo } from '../../helpers/halves.ts';
import type { ExampleCall } from './example-call.ts';
import { argumentAt, EXAMPLE_CALLS, invoke, withArgument } from './op-calls.ts';

const STORED = ['float16', 'bfloat16', 'int64', 'uint32'] as const;

/** Operations that do not look at the elements that they move, or leave behind. */
const MOVES = [
  ...['broadcastTo', 'chunk', 'compress', 'concat', 'depthToSpace', 'diagonal', 'flatten', 'flip'],
  ...['fullLike', 'onesLike', 'zerosLike', 'unstack'],
  ...['gather', 'gatherNd', 'moveAxis', 'pad', 'permute', 'repeat', 'reshape', 'roll', 'slice'],
  ...['spaceToDepth', 'split', 'squeeze', 'stack', 'takeAlongAxis', 'tile', 'transpose', 'tril'],
  ...['triu', 'unsqueeze', 'where'],
];

/** Numbers that every dtype in question holds, in the shape of an operand. */
const like = ({ shape, size }: Tensor): Tensor =>
  tensor(
    Float32Array.from({ length: size }, (_, i) => (i * 3) % 4),
    { shape },
  );

function results(call: ExampleCall, args: readonly unknown[]): unknown {
  const y = invoke(call, args);
  const tensors = y instanceof Tensor ? [y] : Object.values(y as Record<string, Tensor>);
  return tensors.map(({ shape, data }) => ({ shape, data: Array.from(data) }));
}

describe.each(STORED)('%s', (dtype) => {
  const remedy = /float/.test(dtype) ? 'float32' : 'int32, float32 or float64';
  const refusal = `is ${dtype}, which is stored but not computed with; cast() it to ${remedy} first`;

  test('is moved, and refused with a remedy by all that computes', () => {
    const moved = new Set<string>();
    const all = EXAMPLE_CALLS.filter(({ name }) => name !== 'cast' && name !== 'assign');
    for (const call of all) {
      for (const { at, name, isTarget = false } of call.tensors) {
        const operand = argumentAt(call.args(), at);
        if (isTarget || !(operand instanceof Tensor) || operand.dtype !== 'float32') continue;
        const plain = like(operand);
        const act = () => results(call, withArgument(call.args(), at, cast(plain, dtype)));
        try {
          const found = act();
          const expected = results(call, withArgument(call.args(), at, plain));
          expect(found, call.name).toEqual(expected);
          moved.add(call.name);
        } catch (error) {
          if (error instanceof Error && error.name === 'AssertionError') throw error;
          expect(error, call.name).toBeInstanceOf(DTypeError);
          expect((error as Error).message, call.name).toBe(`${call.name}: ${name} ${refusal}`);
        }
      }
    }
    expect([...moved].sort()).toEqual(MOVES.toSorted());
  });

  test('keeps its dtype where it is alone, and promotes beside others', () => {
    const x = cast(tensor([[1, 2]]), dtype);
    for (const y of [reshape(x, [2]), concat([x, x]), gather(x, [0], 1), where(true, x, 3)]) {
      expect(y.dtype).toBe(dtype);
    }
    expect(concat([x, ones([1, 2])]).dtype).toBe('float32');
    expect(concat([cast(x, 'uint8'), x]).dtype).toBe(dtype);
    expect(concat([[[1, 2]], x]).toArray()).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test('is made, read and printed as numbers', () => {
    const x = tensor([1, 2], { dtype });
    expect([x.toArray(), Array.from(x.data), x.dtype]).toEqual([[1, 2], [1, 2], dtype]);
    expect(String(x)).toMatch(/^tensor\(\[1(\.0)?, 2(\.0)?\], shape=\[2\], dtype=/);
    expect(tensor(3, { dtype }).item()).toBe(3);
    expect(full([2], 1, { dtype }).toArray()).toEqual([1, 1]);
    expect(eye(2, { dtype }).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(oneHot([1], 2, { dtype }).toArray()).toEqual([[0, 1]]);
    expect(tensor(tensor([5, 6], { dtype }).data, { dtype }).toArray()).toEqual([5, 6]);
    expect(tensor([1n, 2n], { dtype }).toArray()).toEqual([1, 2]);
    expect(() => rand([1], { dtype })).toThrow(DTypeError);
  });

  test('carries no gradient, nor does a cast to it', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    expect(cast(x, dtype).requiresGrad).toBe(false);
    expect(() => cast(cast(x, dtype), 'float32').backward(ones([2]))).toThrow(AutogradError);
    expect(() => zeros([1], { dtype, requiresGrad: true })).toThrow(
      new DTypeError(
        `zeros: requiresGrad needs dtype float32 or float64, got ${dtype} of shape [1]`,
      ),
    );
    const y = where([true, false], x, cast(x, dtype));
    sum(y).backward();
    expect(x.grad?.toArray()).toEqual([1, 0]);
  });

  test('is copied into tensors of other dtypes, and they into it', () => {
    for (const other of DTYPES) {
      const [x, y] = [zeros([2], { dtype: other }), zeros([2], { dtype })];
      assign(x, tensor([1, 0], { dtype }));
      assign(y, x);
      expect(Array.from(x.data)).toEqual([1, 0]);
      expect(y.toArray()).toEqual([1, 0]);
    }
  });
});

describe('int64 and uint32', () => {
  test.each(['int64', 'uint32'] as const)('%s are labels and positions', (dtype) => {
    const positions = tensor([2, 0], { dtype });
    const logits = tensor([
      [1, 2, 3],
      [3, 1, 0],
    ]);
    const expected = softmaxCrossEntropy(logits, [2, 0]).toArray();
    expect(softmaxCrossEntropy(logits, positions).toArray()).toEqual(expected);
    expect(gather([5, 6, 7], positions).toArray()).toEqual([7, 5]);
    const far = tensor([2 ** 32 - 1], { dtype });
    expect(() => gather([5, 6, 7], far)).toThrow(
      /^gather: int32 holds whole numbers from .*, got 4294967295; use/,
    );
  });

  test('int64 refuses what it does not hold, and bigints that are not exact numbers', () => {
    const dtype = 'int64';
    expect(tensor([2n ** 53n - 1n, -5n], { dtype }).toArray()).toEqual([2 ** 53 - 1, -5]);
    expect(tensor(BigInt64Array.of(-(2n ** 40n)), { dtype }).item()).toBe(-(2 ** 40));
    const refused = [2 ** 53, 2n ** 53n, -(2 ** 53), 1.5, Number.NaN, 1 / 0];
    for (const value of refused) {
      expect(() => tensor([value], { dtype })).toThrow(ValueError);
      expect(() => tensor([value], { dtype })).toThrow(
        /^tensor: int64 holds whole numbers from -9007199254740991 to 9007199254740991, got/,
      );
    }
    for (const value of [2 ** 53, -1e300, Number.NaN, 1 / 0]) {
      expect(() => cast(tensor([value], { dtype: 'float64' }), dtype)).toThrow(
        `cast: int64 holds whole numbers from -9007199254740991 to 9007199254740991 and does not wrap, got ${value}; use dtype float64`,
      );
    }
    expect(Object.is(cast(tensor([-0.5]), dtype).item(), 0)).toBe(true);
  });
});

test('bigints beside tensors are numbers', () => {
  expect(add(ones([1]), 2n).item()).toBe(3);
  expect(add(tensor([1], { dtype: 'uint8' }), [300n]).dtype).toBe('int32');
  expect(equal(tensor([2n ** 20n]), 2 ** 20).item()).toBe(1);
  expect(() => tensor([2n ** 40n])).toThrow(/int32 holds .*; use dtype int64 or float64/);
});

describe('a cast', () => {
  const wrapped = (bits: number, isSigned: boolean) => (x: number) => {
    if (!Number.isFinite(x)) return 0;
    const whole = BigInt(Math.trunc(x));
    return Number(isSigned ? BigInt.asIntN(bits, whole) : BigInt.asUintN(bits, whole));
  };
  /** Null is refused. */
  const MODEL: Readonly<Record<DType, (x: number) => number | null>> = {
    bool: (x) => Number(x !== 0),
    uint8: wrapped(8, false),
    int8: wrapped(8, true),
    uint16: wrapped(16, false),
    int32: wrapped(32, true),
    uint32: wrapped(32, false),
    int64: (x) => (Number.isSafeInteger(Math.trunc(x)) ? Math.trunc(x) + 0 : null),
    float16: (x) => roundedTo(x, FORMATS.float16),
    bfloat16: (x) => roundedTo(x, FORMATS.bfloat16),
    float32: Math.fround,
    float64: (x) => x,
  };
  const numbers = fc.oneof(
    fc.integer({ min: -300, max: 70_000 }),
    fc.double({ min: -300, max: 300, noNaN: true }),
    fc.double({ min: -1e10, max: 1e10, noNaN: true }),
    fc.maxSafeInteger(),
    fc.double(),
  );

  test.each(['reference', 'wasm'])(
    'between any two dtypes is as the model on %s',
    async (backend) => {
      await setBackend(backend);
      const lists = fc.array(numbers, { maxLength: 9 });
      const dtypes = fc.constantFrom<DType>(...DTYPES);
      fc.assert(
        fc.property(lists, dtypes, dtypes, (values, from, to) => {
          const taken = values.map(MODEL[from]).filter((value) => value !== null);
          const x = tensor(taken, { dtype: from });
          expect(Array.from(x.data)).toEqual(taken);
          const expected = taken.map(MODEL[to]);
          if (expected.includes(null)) {
            expect(() => cast(x, to)).toThrow(/^cast: int64 holds/);
          } else {
            const y = cast(x, to);
            expect([y.dtype, Array.from(y.data)]).toEqual([to, expected]);
          }
        }),
        { numRuns: 500 },
      );
    },
  );
});
