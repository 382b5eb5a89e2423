import {
  add,
  assign,
  batchNorm2d,
  DTYPES,
  Generator,
  memory,
  momentumStep,
  mul,
  NdArray,
  ones,
  ReleasedError,
  randn,
  relu,
  reshape,
  ShapeError,
  setBackend,
  setThreads,
  sum,
  Tensor,
  type TensorData,
  tensor,
  tidy,
  zeros,
} from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shapes } from '../../helpers/arbitraries.ts';
import { relativeError } from '../../helpers/relative-error.ts';

// What reading a tensor gives, how it is written to, and that arrays outside have no part in it.

const PROPERTY = { seed: 20161104, numRuns: 100 };
const MOMENTUM = { momentum: 0.9, weightDecay: 0, lossScale: 1, nesterov: false };

/** Fills memory that was given back with other numbers. */
function useMemory(size: number): void {
  tidy(() => {
    for (let i = 0; i < 20; i++) add(ones([size]), 6);
  });
}

describe.each(['reference', 'wasm'])('data, on %s,', (backend) => {
  beforeAll(() => setBackend(backend));
  afterAll(() => setBackend('wasm'));

  test('outlives the scope in which it was read', () => {
    const data = tidy(() => add(ones([100]), 1).data);
    useMemory(100);
    expect(data).toEqual(new Float32Array(100).fill(2));
    const nested = tidy(() => {
      const inner = tidy(() => mul(ones([100]), 3).data);
      useMemory(100);
      return inner;
    });
    useMemory(100);
    expect(nested).toEqual(new Float32Array(100).fill(3));
  });

  /** Ways to make a tensor, by where its elements lie afterwards. */
  const makers: Readonly<Record<string, (size: number) => Tensor>> = {
    made: (size) => ones([size]),
    'a result': (size) => add(zeros([size]), 1),
    'returned by tidy': (size) => tidy(() => add(zeros([size]), 1)),
    'assigned to': (size) => {
      const x = zeros([size]);
      assign(x, ones([size]));
      return x;
    },
    'a gradient': (size) => {
      const x = zeros([size], { requiresGrad: true });
      sum(x).backward();
      return x.grad as Tensor;
    },
    reshaped: (size) => reshape(add(zeros([1, size]), 1), [size]),
  };

  /** What may happen to a tensor whose data somebody keeps. */
  const fates: Readonly<Record<string, (x: Tensor) => void>> = {
    assign: (x) => assign(x, 5),
    momentumStep: (x) => {
      const options = { ...MOMENTUM, learningRate: 0.5 };
      momentumStep(x, zeros(x.shape), ones(x.shape), options);
    },
    'running statistics': (x) => {
      const statistics = { runningMean: x, runningVariance: x.detach() };
      const channels = [ones(x.shape), zeros(x.shape)] as const;
      batchNorm2d(randn([2, x.size, 1, 1]), ...channels, statistics);
    },
    'a view of it': (x) => assign(reshape(x, [x.size, 1]), 5),
    dispose: (x) => x.dispose(),
    'being used in a scope': (x) => tidy(() => void relu(x)),
    'a scope around its end': (x) => tidy(() => x.dispose()),
  };

  test.each(
    Object.keys(makers).flatMap((maker) => Object.keys(fates).map((fate) => [maker, fate])),
  )('(%s) survives %s', (maker, fate) => {
    const x = makers[maker](50);
    const { data } = x;
    fates[fate](x);
    useMemory(50);
    expect(data).toEqual(new Float32Array(50).fill(1));
    if (x.array.storage.isReleased) expect(() => x.data).toThrow(ReleasedError);
    else expect(x.data).toEqual(Float32Array.from(x.toArray() as number[]));
  });

  test('is a copy: writing to it changes neither the tensor nor another one', () => {
    for (const make of Object.values(makers)) {
      const x = make(3);
      const view = reshape(x, [3, 1]);
      const saved = sum(mul(x, tensor([1, 1, 1], { requiresGrad: true })));
      (x.data as Float32Array).fill(9);
      expect(x.toArray()).toEqual([1, 1, 1]);
      expect(x.data).toEqual(Float32Array.of(1, 1, 1));
      expect(view.toArray()).toEqual([[1], [1], [1]]);
      expect(add(x, 0).toArray()).toEqual([1, 1, 1]);
      saved.backward();
    }
  });

  test('is always what toArray gives, whatever was read before', () => {
    const change = fc.oneof(
      fc.record({ kind: fc.constant('assign' as const), value: fc.integer({ min: -9, max: 9 }) }),
      fc.record({ kind: fc.constant('read' as const), value: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ kind: fc.constant('use' as const), value: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.boolean(), (changes, isScoped) => {
        const run = (): void => {
          const x = add(ones([4]), 0);
          const kept: { data: ArrayLike<number>; expected: number[] }[] = [];
          for (const { kind, value } of changes) {
            if (kind === 'assign') assign(x, [value, 1, 2, 3]);
            if (kind === 'use') relu(x);
            for (let i = 0; i < (kind === 'read' ? value : 0); i++) {
              kept.push({ data: x.data, expected: x.toArray() as number[] });
            }
          }
          useMemory(4);
          for (const { data, expected } of kept) expect(Array.from(data)).toEqual(expected);
        };
        if (isScoped) tidy(run);
        else run();
      }),
      PROPERTY,
    );
  });

  test('of every dtype and shape', () => {
    fc.assert(
      fc.property(shapes(), fc.constantFrom(...DTYPES), (shape, dtype) => {
        const x = tidy(() => ones(shape, { dtype }));
        expect(Array.from(x.data)).toEqual(new Array(x.size).fill(1));
        // Numbers, not their bits.
        const isHalf = /float16/.test(dtype);
        expect(x.data.constructor).toBe(isHalf ? Float32Array : x.array.data.constructor);
      }),
      PROPERTY,
    );
  });

  test('is not copied for every element of a loop', () => {
    const x = tidy(() => ones([2000]));
    const copies = new Set();
    let total = 0;
    for (let i = 0; i < x.size; i++) {
      copies.add(x.data);
      total += x.data[i];
    }
    expect(total).toBe(2000);
    expect(copies.size).toBeLessThan(10);
    // Over several tensors at once, too.
    const others = tidy(() => [1, 2, 3, 4].map((value) => mul(ones([500]), value)));
    copies.clear();
    for (let i = 0; i < 500; i++) for (const other of others) copies.add(other.data);
    expect(copies.size).toBeLessThan(40);
    assign(x, 2);
    expect(x.data[7]).toBe(2);
  });

  test('that loops have read is kept for the last few tensors only', () => {
    const list = tidy(() => Array.from({ length: 100 }, () => ones([1000])));
    const lastRead = list.map((x) => {
      for (let i = 0; i < 20; i++) x.data.at(i);
      return x.data;
    });
    const isKept = list.map((x, i) => ({ x, last: lastRead[i] })).reverse();
    const kept = isKept.filter(({ x, last }) => x.data === last).length;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(10);
  });
});

test('results of several threads stay as they were read', () => {
  setThreads(2);
  const generator = new Generator(0);
  const x = randn([100_000], { generator });
  const expected = Array.from(x.data, (value) => Math.max(0, value));
  const kept = Array.from({ length: 20 }, () => tidy(() => relu(x).data));
  for (const data of kept) expect(relativeError(data, expected)).toBe(0);
});

describe('reading', () => {
  test('moves nothing, and gives nothing up', () => {
    const inArena = zeros([1000]);
    assign(inArena, 1);
    for (const x of [inArena, tidy(() => relu(ones([1000]))), ones([1000])]) {
      const { source, version } = x.array.storage;
      for (let i = 0; i < 20; i++) expect(x.data[999]).toBe(1);
      tidy(() => expect(x.data[999]).toBe(1));
      expect(x.array.storage.source).toBe(source);
      expect(x.array.storage.version).toBe(version);
    }
  });

  test('a scoped tensor does not keep it from the memory of kernels', () => {
    const sourceAfterUse = (read: (x: Tensor) => void): string =>
      tidy(() => {
        const x = ones([10]);
        read(x);
        relu(x);
        return x.array.storage.source.constructor.name;
      });
    expect(sourceAfterUse((x) => void x.data)).toBe(sourceAfterUse(() => {}));
  });
});

describe('tensor', () => {
  test('copies: an array that is filled anew changes no tensor', () => {
    const makers: ((array: Float32Array) => Tensor)[] = [
      (array) => tensor(array),
      (array) => tensor(array, { shape: [2, 2] }),
      (array) => tensor(array.subarray(0)),
      (array) => tensor(Buffer.from(array.buffer)),
      (array) => tensor(new Float32Array(array.buffer), { copy: true }),
      (array) => tensor(array as unknown as TensorData, { dtype: 'float64', copy: false }),
    ];
    for (const make of makers) {
      const array = new Float32Array(new SharedArrayBuffer(16)).fill(1);
      const plain = Float32Array.of(1, 1, 1, 1);
      for (const values of [array, plain]) {
        const x = make(values);
        const before = x.toArray();
        values.fill(7);
        expect(x.toArray()).toEqual(before);
        relu(x);
        assign(x, 3);
        expect(values[0]).toBe(7);
      }
    }
  });

  test('so gradients of a step are not those of the next batch', () => {
    const buffer = new Float32Array(2);
    const w = tensor([1, 1], { requiresGrad: true });
    const losses = [1, 10].map((value) => sum(mul(w, tensor(buffer.fill(value)))));
    for (const loss of losses) loss.backward();
    expect(w.grad?.toArray()).toEqual([11, 11]);
  });

  test('takes an array over where that is asked for', () => {
    const array = Float32Array.of(1, 2);
    const x = tensor(array, { copy: false });
    expect(x.array.data).toBe(array);
    expect(x.data).not.toBe(array);
  });

  test('keeps no list of lengths that somebody holds', () => {
    const shape = [2, 3];
    const made = [zeros(shape), tensor(new Float32Array(6), { shape }), reshape(ones([6]), shape)];
    const array = NdArray.zeros(shape, 'float32');
    shape[0] = 9;
    for (const x of [...made, new Tensor(array)]) expect(x.shape).toEqual([2, 3]);
  });
});

describe('assign', () => {
  test.each<[string, TensorData, number[]]>([
    ['a number', 5, [5, 5, 5, 5]],
    ['a flat list', [1, 2, 3, 4], [1, 2, 3, 4]],
    [
      'nested lists',
      [
        [1, 2],
        [3, 4],
      ],
      [1, 2, 3, 4],
    ], // prettier-ignore
    ['a typed array', Float32Array.of(1, 2, 3, 4), [1, 2, 3, 4]],
    ['a typed array of another type', Int32Array.of(1, 2, 3, 4), [1, 2, 3, 4]],
    ['data of a tensor', zeros([4]).data, [0, 0, 0, 0]],
  ])('writes %s', (_, values, expected) => {
    for (const dtype of ['float32', 'float64', 'int32'] as const) {
      const x = tensor([9, 9, 9, 9], { shape: [2, 2], dtype });
      assign(x, values);
      expect(reshape(x, [4]).toArray()).toEqual(expected);
      expect(x.dtype).toBe(dtype);
    }
  });

  test('writes what data gave of itself', () => {
    const x = tensor([1, 2, 3]);
    assign(
      x,
      x.data.map((value) => 2 * value),
    );
    expect(x.toArray()).toEqual([2, 4, 6]);
    assign(x, x);
    expect(x.toArray()).toEqual([2, 4, 6]);
  });

  test('keeps no array, and leaves nothing behind', () => {
    const x = ones([2]);
    const values = Float32Array.of(3, 4);
    const before = memory();
    assign(x, values);
    values.fill(0);
    expect(x.toArray()).toEqual([3, 4]);
    expect(memory()).toEqual(before);
  });

  test('refuses values that do not fill the tensor', () => {
    const x = ones([2, 2]);
    for (const values of [[1, 2, 3], [[1], [2], [3], [4]], new Float32Array(5), []]) {
      expect(() => assign(x, values)).toThrow(ShapeError);
      expect(() => assign(x, values)).toThrow(/^assign: shapes must be equal\n {2}target \[2, 2\]/);
    }
    expect(x.data).toEqual(Float32Array.of(1, 1, 1, 1));
  });
});
