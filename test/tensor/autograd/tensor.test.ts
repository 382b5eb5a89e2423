import {
  add,
  arange,
  assign,
  type DType,
  describeBackend,
  div,
  mul,
  neg,
  ones,
  reshape,
  setBackend,
  slice,
  sum,
  tensor,
  transpose,
  zeros,
} from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KERNEL_NAMES } from '../../../packages/tensor/src/backend/contract.ts';

describe('creation', () => {
  test('takes the dtype from the data', () => {
    expect(tensor([1, 2]).dtype).toBe('float32');
    expect(tensor([true]).dtype).toBe('bool');
    expect(tensor(new Float64Array(2)).dtype).toBe('float64');
    expect(tensor(new Uint8Array(2)).dtype).toBe('uint8');
    expect(tensor([2, 0], { dtype: 'int32' }).toArray()).toEqual([2, 0]);
    expect(tensor([2, 0], { dtype: 'bool' }).toArray()).toEqual([true, false]);
  });

  test('takes typed arrays, also inside lists', () => {
    const data = Float32Array.of(1, 2, 3, 4);
    expect(tensor(data, { shape: [2, 2] }).data).toEqual(data);
    expect(tensor([Float32Array.of(1, 2)]).toArray()).toEqual([[1, 2]]);
  });

  test('counts', () => {
    expect(arange(3).toArray()).toEqual([0, 1, 2]);
    expect(arange(3, 0, -1).toArray()).toEqual([3, 2, 1]);
    expect(arange(0, 1, 0.25).toArray()).toEqual([0, 0.25, 0.5, 0.75]);
    expect(arange(2, 1).shape).toEqual([0]);
  });

  test('has shape, rank, size and nested arrays', () => {
    const t = ones([2, 0, 3]);
    expect([t.shape, t.rank, t.size]).toEqual([[2, 0, 3], 3, 0]);
    expect(t.toArray()).toEqual([[], []]);
    expect(tensor(5).toArray()).toBe(5);
    expect(tensor(5).item()).toBe(5);
  });
});

describe('dtypes', () => {
  const COMPUTED: readonly DType[] = [
    'bool',
    'uint8',
    'int8',
    'uint16',
    'int32',
    'float32',
    'float64',
  ];

  test('promote to the later one, or the next that holds both', () => {
    for (const a of COMPUTED) {
      for (const b of COMPUTED) {
        // Two booleans are added as int32, since a sum of 2 is no boolean.
        const least = COMPUTED.indexOf(a === 'bool' && b === 'bool' ? 'int32' : a);
        const later = COMPUTED[Math.max(least, COMPUTED.indexOf(b))];
        const isApart = a !== b && [a, b].includes('int8') && /uint/.test(a + b);
        const expected = isApart ? 'int32' : later;
        expect(add(zeros([1], { dtype: a }), zeros([1], { dtype: b })).dtype).toBe(expected);
      }
    }
  });

  test('booleans count in arithmetic', () => {
    const yes = tensor([true]);
    expect([add(yes, yes).item(), neg(yes).item(), sum(add(yes, yes)).item()]).toEqual([2, -1, 2]);
  });

  test.each<[DType, number, DType]>([
    ['float32', 0.5, 'float32'],
    ['float64', 1, 'float64'],
    ['int32', 2, 'int32'],
    ['int32', 0.5, 'float32'],
    ['uint8', 1, 'uint8'],
    ['int8', -1, 'int8'],
    ['int8', 200, 'int32'],
    ['uint16', 65535, 'uint16'],
    ['uint16', -1, 'int32'],
    ['bool', 1, 'int32'],
  ])('%s with the number %d gives %s', (dtype, number, expected) => {
    expect(mul(ones([1], { dtype }), number).dtype).toBe(expected);
  });

  test('gradients pass between float32 and float64', () => {
    const x = tensor([2], { requiresGrad: true });
    const loss = sum(mul(x, tensor([3], { dtype: 'float64' })));
    expect(loss.dtype).toBe('float64');
    loss.backward();
    expect([x.grad?.dtype, x.grad?.item()]).toEqual(['float32', 3]);
    expect(div(arange(2), arange(2)).dtype).toBe('float32');
  });
});

describe('memory sharing', () => {
  test('reshape and detach share, transpose copies', () => {
    const t = zeros([2, 2]);
    assign(reshape(t, [4]), [5, 0, 0, 0]);
    assign(t.detach(), [5, 6, 0, 0]);
    assign(transpose(t), 7);
    expect(t.toArray()).toEqual([
      [5, 6],
      [0, 0],
    ]);
  });
});

test('slice follows the rules of Array.prototype.slice', () => {
  const positions = fc.integer({ min: -8, max: 8 });
  fc.assert(
    fc.property(fc.nat({ max: 6 }), positions, positions, (length, start, end) => {
      const list = Array.from({ length }, (_, i) => i);
      expect(slice(arange(length), [[start, end]]).toArray()).toEqual(list.slice(start, end));
    }),
  );
});

describe('printing', () => {
  test.each([
    [
      tensor([
        [1, 2.5],
        [3, 4],
      ]),
      'tensor([[1.0, 2.5],\n        [3.0, 4.0]], shape=[2, 2], dtype=float32)',
    ],
    [tensor([true, false]), 'tensor([ true, false], shape=[2], dtype=bool)'],
    [tensor(3), 'tensor(3.0, shape=[], dtype=float32)'],
    [zeros([0, 3]), 'tensor([], shape=[0, 3], dtype=float32)'],
    [arange(8, 12), 'tensor([ 8,  9, 10, 11], shape=[4], dtype=int32)'],
    [tensor([Number.NaN, -Infinity]), 'tensor([ nan, -inf], shape=[2], dtype=float32)'],
    [tensor([1e-9, 1]), 'tensor([1.0000e-9, 1.0000e+0], shape=[2], dtype=float32)'],
    [
      tensor([1 / 3], { requiresGrad: true }),
      'tensor([0.3333], shape=[1], dtype=float32, requiresGrad)',
    ],
    [
      zeros([2, 1, 2], { dtype: 'uint8' }),
      'tensor([[[0, 0]],\n\n        [[0, 0]]], shape=[2, 1, 2], dtype=uint8)',
    ],
    [arange(1001), 'tensor([   0,    1,    2, ...,  998,  999, 1000], shape=[1001], dtype=int32)'],
  ])('%s', (t, text) => {
    expect(String(t)).toBe(text);
    expect(t[Symbol.for('nodejs.util.inspect.custom') as never]).toBeTypeOf('function');
  });

  test('short axes are shown whole, however many they are', () => {
    const rows = String(ones([6, 6, 6, 6, 6, 6, 6])).split('\n');
    expect(rows.filter((row) => row.includes('1.0'))).toHaveLength(6 ** 6);
  });
});

describe('backends', () => {
  test('describeBackend says what computes each kernel', async () => {
    await setBackend('reference');
    const { name, summary, kernels } = describeBackend();
    expect(name).toBe('reference');
    expect(summary).toMatch(/plain TypeScript loops/);
    expect(Object.keys(kernels).sort()).toEqual(Object.keys(KERNEL_NAMES).sort());
    for (const description of Object.values(kernels)) {
      expect(description).toEqual({ backend: 'reference', reason: null, declined: [] });
    }
  });

  test('describeBackend names the backend and the kernels, all of which wasm has', async () => {
    await setBackend('wasm');
    const { name, summary, kernels } = describeBackend();
    expect(name).toBe('wasm');
    expect(summary).toMatch(/WebAssembly SIMD.* threads?,.* by Winograd/);
    const others = Object.entries(kernels).filter(([, { backend }]) => backend !== 'wasm');
    expect(others).toEqual([]);
  });
});
