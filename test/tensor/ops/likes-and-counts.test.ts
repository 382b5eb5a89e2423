import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  bincount,
  DTypeError,
  fullLike,
  gradCheck,
  logSigmoid,
  lpPool2d,
  norm,
  onesLike,
  prod,
  setBackend,
  stack,
  std,
  sum,
  tensor,
  unstack,
  ValueError,
  zeros,
  zerosLike,
} from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { awayFromZero } from '../../helpers/arbitraries.ts';

describe.each(['reference', 'wasm'])('on %s', (backend) => {
  afterAll(() => setBackend('wasm'));

  test('tensors like others take their shape and dtype, or another', async () => {
    await setBackend(backend);
    const x = tensor([[1, 2]], { dtype: 'float16' });
    expect([zerosLike(x).dtype, zerosLike(x).toArray()]).toEqual(['float16', [[0, 0]]]);
    expect([onesLike([true]).dtype, onesLike([true]).toArray()]).toEqual(['bool', [true]]);
    const y = fullLike(x, 7, { dtype: 'float64', requiresGrad: true });
    expect([y.dtype, y.requiresGrad, y.toArray()]).toEqual(['float64', true, [[7, 7]]]);
    expect(() => fullLike(tensor([1], { dtype: 'uint8' }), -1)).toThrow(/^fullLike: .*-1/);
  });

  test('unstack undoes stack, on any axis, and gives no part of an empty one', async () => {
    await setBackend(backend);
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(unstack(x).map(String)).toEqual([tensor([1, 2, 3]), tensor([4, 5, 6])].map(String));
    expect(stack(unstack(x, -1), -1).toArray()).toEqual(x.toArray());
    expect(unstack(zeros([2, 0]), 1)).toEqual([]);
    expect(() => unstack(x, 2)).toThrow(/^unstack: axis must be an integer in \[-2, 2\)/);
    expect(() => unstack(tensor(1))).toThrow(/^unstack: /);
  });

  test('bincount counts', async () => {
    await setBackend(backend);
    const counts = bincount([
      [3, 1],
      [3, 0],
    ]);
    expect([counts.dtype, counts.toArray()]).toEqual(['int32', [1, 1, 0, 2]]);
    expect(bincount([1], { minLength: 3 }).toArray()).toEqual([0, 1, 0]);
    expect(bincount(tensor([], { dtype: 'int32' }), { minLength: 2 }).toArray()).toEqual([0, 0]);
    expect(bincount(tensor([], { dtype: 'int32' })).shape).toEqual([0]);
    expect(() => bincount([0, -1])).toThrow('bincount: x must hold no number below 0, got -1');
    expect(() => bincount(tensor([0.5]))).toThrow(DTypeError);
    expect(() => bincount([0], { minLength: -1 })).toThrow(ValueError);
  });

  test('logSigmoid keeps its digits far out', async () => {
    await setBackend(backend);
    const x = tensor([-1000, -Infinity, 0, 30, Infinity], { requiresGrad: true });
    const y = logSigmoid(x);
    sum(y).backward();
    const exact = [-1000, -Infinity, -Math.LN2, -Math.exp(-30), 0];
    exact.forEach((value, i) => {
      expect(y.data[i] === value || Math.abs(y.data[i] / value - 1) < 1e-6).toBe(true);
    });
    expect(Array.from(x.grad?.data.slice(0, 3) ?? [])).toEqual([1, 1, 0.5]);
  });

  test('lpPool2d is the length of windows, with the gradient 0 at 0', async () => {
    await setBackend(backend);
    const x = tensor([[[[3, -4, 0, 0]]]], { requiresGrad: true });
    const y = lpPool2d(x, { kernelSize: [1, 2] });
    sum(y).backward();
    expect(y.toArray()).toEqual([[[[5, 0]]]]);
    const gradient = x.grad?.data ?? [];
    [0.6, -0.8, 0, 0].forEach((value, i) => {
      expect(gradient[i]).toBeCloseTo(value, 6);
    });
    const padded = lpPool2d(x, { kernelSize: [1, 3], stride: 1, padding: [0, 1], ord: 1 });
    expect(padded.toArray()).toEqual([[[[7, 7, 4, 0]]]]);
    expect(() => lpPool2d(x, { kernelSize: 1, ord: 0 })).toThrow(
      'lpPool2d: ord must be a finite number above 0, got 0',
    );
    expect(() => lpPool2d(x, { kernelSize: 2 })).toThrow(/^lpPool2d: /);
  });

  test('what an adaptive window does not hold changes nothing in it', async () => {
    await setBackend(backend);
    const row = (...values: number[]) => tensor([[[values]]], { requiresGrad: true });
    const far = row(Infinity, Number.NaN, 1, 2, 3);
    expect(adaptiveAvgPool2d(far, [1, 3]).data[2]).toBe(2.5);
    const ties = row(1, 1, 1, 0, 1);
    sum(adaptiveMaxPool2d(ties, [1, 2])).backward(); // Windows [0, 3) and [2, 5).
    expect(ties.grad?.toArray()).toEqual([[[[1, 0, 1, 0, 0]]]]);
  });

  test('lengths of NaN have the gradient NaN', async () => {
    await setBackend(backend);
    for (const run of [norm, std]) {
      const x = tensor([1, Number.NaN], { requiresGrad: true });
      run(x).backward();
      expect(x.grad?.toArray()).toEqual([Number.NaN, Number.NaN]);
    }
  });

  test('a product of nothing has a gradient', async () => {
    await setBackend(backend);
    const x = zeros([2, 0], { requiresGrad: true });
    const y = prod(x, 1);
    sum(y).backward();
    expect([y.toArray(), x.grad?.shape]).toEqual([
      [1, 1],
      [2, 0],
    ]);
  });
});

test('lengths of windows of any order have the gradients of finite differences', () => {
  for (const ord of [0.5, 1, 2, 3]) {
    const options = { kernelSize: 2, stride: 1, padding: 1, ord };
    const error = gradCheck((x) => lpPool2d(x, options), [awayFromZero([2, 2, 3, 4], 7)]);
    expect(error).toBeLessThan(1e-6);
  }
});
