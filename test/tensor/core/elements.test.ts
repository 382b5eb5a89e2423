import {
  arange,
  assign,
  cast,
  concat,
  DTYPES,
  type DType,
  DTypeError,
  equal,
  full,
  greater,
  less,
  ones,
  pad,
  type Tensor,
  type TensorData,
  tensor,
  ValueError,
  where,
  zeros,
} from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORMATS, roundedTo } from '../../helpers/halves.ts';

const yes = tensor([true]);

/** Every way by which a number enters a tensor of a given dtype. */
const DOORS: Readonly<Record<string, (value: number, dtype: DType) => Tensor>> = {
  'tensor of an array': (value, dtype) => tensor([value], { dtype }),
  'tensor of a typed array': (value, dtype) => tensor(Float64Array.of(value), { dtype }),
  'tensor of typed rows': (value, dtype) => tensor([Float64Array.of(value)], { dtype }),
  full: (value, dtype) => full([1], value, { dtype }),
  arange: (value, dtype) => arange(value, value + 1, 1, { dtype }),
  pad: (value, dtype) => pad(zeros([0], { dtype }), [[1, 0]], { value }),
  'assign from a tensor': (value, dtype) => {
    const target = zeros([1], { dtype });
    assign(target, tensor([value], { dtype: 'float64' }));
    return target;
  },
  'assign from an array': (value, dtype) => {
    const target = zeros([1], { dtype });
    assign(target, [value]);
    return target;
  },
  'assign from a typed array': (value, dtype) => {
    const target = zeros([1], { dtype });
    assign(target, Float64Array.of(value));
    return target;
  },
};

const doors = Object.entries(DOORS).map(([door, enter]) => ({ door, enter }));

const whole = (least: number, most: number) => (value: number) =>
  Number.isInteger(value) && value >= least && value <= most;

const HELD: Readonly<Record<DType, (value: number) => boolean>> = {
  bool: () => true,
  uint8: whole(0, 255),
  int8: whole(-128, 127),
  uint16: whole(0, 65535),
  int32: whole(-(2 ** 31), 2 ** 31 - 1),
  uint32: whole(0, 2 ** 32 - 1),
  int64: whole(-(2 ** 53) + 1, 2 ** 53 - 1),
  float16: () => true,
  bfloat16: () => true,
  float32: () => true,
  float64: () => true,
};

const STORED: Readonly<Record<DType, (value: number) => number>> = {
  bool: (value) => Number(value !== 0),
  uint8: (value) => value + 0,
  int8: (value) => value + 0,
  uint16: (value) => value + 0,
  int32: (value) => value + 0,
  uint32: (value) => value + 0,
  int64: (value) => value + 0,
  float16: (value) => roundedTo(value, FORMATS.float16),
  bfloat16: (value) => roundedTo(value, FORMATS.bfloat16),
  float32: Math.fround,
  float64: (value) => value,
};

const numbers = fc.oneof(
  fc.integer({ min: -3, max: 260 }),
  fc.constantFrom(-(2 ** 31) - 1, -(2 ** 31), 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 5, 0.5, -0.5, 1e-9),
  fc.constantFrom(-129, -128, -1, 127, 128, 32768, 65535, 65536, 2 ** 32 - 1, 2 ** 53 - 2),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 }),
);
const unusual = fc.constantFrom(
  2 ** 60,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
);

describe.each(doors)('a number through $door', ({ door, enter }) => {
  test.each(DTYPES)('is held by %s exactly, or refused', (dtype) => {
    // arange has no endless bounds, and counts from where it starts in steps of 1.
    const values = door === 'arange' ? numbers : fc.oneof(numbers, unusual);
    fc.assert(
      fc.property(values, (value) => {
        if (HELD[dtype](value)) {
          expect(enter(value, dtype).data[0]).toBe(STORED[dtype](value));
        } else {
          expect(() => enter(value, dtype)).toThrow(ValueError);
          expect(() => enter(value, dtype)).toThrow(
            new RegExp(
              `^\\w+: ${dtype} holds whole numbers from -?\\d+ to \\d+, got ${String(value).replace('+', '\\+')}; use`,
            ),
          );
        }
      }),
      { numRuns: 60, seed: 20161104 },
    );
  });
});

test('the message names a dtype that holds the number, or how to round it', () => {
  expect(() => full([2], 300, { dtype: 'uint8' })).toThrow(
    /^full: uint8 holds whole numbers from 0 to 255, got 300; use dtype int32, or cast\(\) a tensor/,
  );
  expect(() => full([2], 1.5, { dtype: 'int32' })).toThrow(
    /got 1.5; use dtype float32 or float64, or cast\(\) a tensor to cut off the fraction and wrap$/,
  );
  expect(cast(tensor([300, -1, 1.9, Number.NaN]), 'uint8').toArray()).toEqual([44, 255, 1, 0]);
});

test('booleans are 0 or 1, whatever made them', () => {
  const made = [
    full([1], true),
    full([1], 2, { dtype: 'bool' }),
    pad(yes, [[1, 1]], { value: 2 }),
    arange(0, 3, 1, { dtype: 'bool' }),
    tensor(Uint8Array.of(2, 0), { dtype: 'bool' }),
    tensor([Number.NaN], { dtype: 'bool' }),
    where(yes, true, false),
    concat([yes, [false]]),
  ];
  for (const t of made) {
    expect(t.dtype).toBe('bool');
    expect(Array.from(t.data).every((byte) => byte === 0 || byte === 1)).toBe(true);
  }
});

describe('where takes the dtype that holds both values', () => {
  test.each<[a: Tensor | number, b: Tensor | number, dtype: DType, value: number]>([
    [tensor([5], { dtype: 'uint8' }), 300, 'int32', 300],
    [tensor([5], { dtype: 'uint8' }), 7, 'uint8', 7],
    [tensor([5], { dtype: 'int32' }), 0.5, 'float32', 0.5],
    [tensor([5], { dtype: 'int32' }), 2 ** 31, 'float64', 2 ** 31],
    [yes, 2, 'int32', 2],
  ])('%s or %d: %s', (a, b, dtype, value) => {
    const y = where(tensor([false]), a, b);
    expect([y.dtype, y.item()]).toEqual([dtype, value]);
  });
});

describe('comparisons answer by mathematics', () => {
  const elements = {
    bool: fc.constantFrom(0, 1),
    uint8: fc.constantFrom(0, 1, 5, 254, 255),
    int8: fc.constantFrom(-128, -1, 0, 5, 127),
    uint16: fc.constantFrom(0, 5, 255, 65535),
    int32: fc.constantFrom(-(2 ** 31), -1, 0, 5, 2 ** 24 + 1, 2 ** 31 - 1),
    float32: fc.constantFrom(-(2 ** 31), -0.5, 0, 1, 5, 2 ** 24, 2 ** 31, Number.NaN, 1 / 0),
    float64: fc.constantFrom(-0.1, 0.1, 1, 2 ** 24 + 1, 2 ** 31 - 0.5, -1 / 0),
  };
  const dtypes = fc.constantFrom(...(Object.keys(elements) as (keyof typeof elements)[]));

  test('between any two dtypes', () => {
    const operands = fc
      .tuple(dtypes, dtypes)
      .chain(([a, b]) => fc.tuple(fc.constant([a, b]), elements[a], elements[b]));
    fc.assert(
      fc.property(operands, ([[dtypeA, dtypeB], a, b]) => {
        const [x, y] = [full([1], a, { dtype: dtypeA }), full([1], b, { dtype: dtypeB })];
        expect([less(x, y), equal(x, y), greater(x, y)].map((t) => t.toArray())).toEqual([
          [a < b],
          [a === b],
          [a > b],
        ]);
      }),
      { numRuns: 500 },
    );
  });

  test('between integers and any number', () => {
    const operands = fc
      .constantFrom('bool' as const, 'uint8', 'int8', 'uint16', 'int32')
      .chain((dtype) =>
        fc.tuple(
          fc.constant(dtype),
          elements[dtype],
          fc.oneof(fc.double(), fc.constantFrom(-1, 2.5, 300, 2 ** 24 + 0.5, 2 ** 31)),
        ),
      );
    fc.assert(
      fc.property(operands, ([dtype, a, b]) => {
        const x = full([1], a, { dtype });
        expect(less(x, b).item()).toBe(Number(a < b));
        expect(greater(x, [b]).item()).toBe(Number(a > b));
        expect(equal(b, x).item()).toBe(Number(a === b));
      }),
    );
  });

  test('between plain numbers, and with floats after rounding to their dtype', () => {
    expect(greater(2 ** 24 + 1, 2 ** 24).item()).toBe(1);
    expect(equal(tensor([0.1]), 0.1).toArray()).toEqual([true]);
    expect(equal(tensor([0.1], { dtype: 'float64' }), [0.1]).toArray()).toEqual([true]);
  });
});

describe('data of other kinds', () => {
  test.each<[data: TensorData, dtype: DType]>([
    [Float32Array.of(1, 2), 'float32'],
    [Float64Array.of(1, 2), 'float64'],
    [Int32Array.of(1, 2), 'int32'],
    [Int16Array.of(1, 2), 'int32'],
    [Int8Array.of(1, 2), 'int8'],
    [Uint16Array.of(1, 2), 'uint16'],
    [Uint32Array.of(1, 2), 'int32'],
    [BigInt64Array.of(1n, 2n), 'int32'],
    [BigUint64Array.of(1n, 2n), 'int32'],
    [Uint8Array.of(1, 2), 'uint8'],
    [Uint8ClampedArray.of(1, 2), 'uint8'],
    [Buffer.of(1, 2), 'uint8'],
    [[1, true], 'float32'],
    [[true, true], 'bool'],
    [[], 'float32'],
    [[1n, 2n], 'int32'],
    [[1n, 2], 'float32'],
    [1n, 'int32'],
  ])('%o is %s', (data, dtype) => {
    const t = tensor(data);
    expect(t.dtype).toBe(dtype);
    expect(t.data.constructor.name).toMatch(
      /^(Float32|Float64|Int32|Uint16|Int8|Uint8)Array$|^Buffer$/,
    );
    if (dtype !== 'bool' && t.size === 2) expect(cast(t, 'float64').data[0]).toBe(1);
  });

  test('64-bit and unsigned integers are checked against the range of int32', () => {
    expect(tensor(BigInt64Array.of(-(2n ** 31n))).item()).toBe(-(2 ** 31));
    for (const data of [BigInt64Array.of(2n ** 40n), BigUint64Array.of(2n ** 31n)]) {
      expect(() => tensor(data)).toThrow(/tensor: int32 holds whole numbers from .*, got \d+; use/);
    }
    expect(() => tensor(Uint32Array.of(2 ** 32 - 1))).toThrow(/got 4294967295; use dtype int64/);
    expect(tensor(Uint32Array.of(2 ** 32 - 1), { dtype: 'float64' }).item()).toBe(2 ** 32 - 1);
    expect(tensor(BigInt64Array.of(2n ** 40n), { dtype: 'float64' }).item()).toBe(2 ** 40);
  });

  test('bytes without a type are refused', () => {
    for (const data of [new ArrayBuffer(4), new DataView(new ArrayBuffer(4))]) {
      expect(() => tensor(data as never)).toThrow(DTypeError);
      expect(() => tensor(data as never)).toThrow(
        /; wrap it in a typed array, such as Float32Array/,
      );
    }
  });

  test('a number or an array beside a tensor of float64 keeps all of its digits', () => {
    const x = ones([2], { dtype: 'float64' });
    expect(equal(concat([x, [0.1]]), tensor(Float64Array.of(1, 1, 0.1))).toArray()).toEqual([
      true,
      true,
      true,
    ]);
  });
});
