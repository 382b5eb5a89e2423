import {
  add,
  addmm,
  all,
  any,
  argmax,
  argsort,
  chunk,
  cumprod,
  cumsum,
  einsum,
  eye,
  flatten,
  gather,
  gatherNd,
  gradCheck,
  linspace,
  localResponseNorm,
  logSumExp,
  matmul,
  max,
  maximum,
  mean,
  minimum,
  norm,
  normalize,
  oneHot,
  ones,
  pad,
  prelu,
  prod,
  roll,
  scatter,
  scatterNd,
  selu,
  slice,
  sort,
  split,
  squeeze,
  std,
  sum,
  type Tensor,
  takeAlongAxis,
  tensor,
  tile,
  topK,
  tril,
  unsqueeze,
  variance,
  zeros,
} from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { distinct, normal } from '../../helpers/arbitraries.ts';

const nothing = Number.NaN;
const int = (...values: number[]): Tensor => tensor(values, { dtype: 'int32' });

describe('where the fixture of PyTorch says nothing', () => {
  test('slice goes backwards, up to the first element with null', () => {
    const x = tensor([0, 1, 2, 3, 4]);
    expect(slice(x, [[null, null, -1]]).toArray()).toEqual([4, 3, 2, 1, 0]);
    expect(slice(x, [[3, 0, -2]]).toArray()).toEqual([3, 1]);
    expect(slice(x, [[-1, -100, -2]]).toArray()).toEqual([4, 2, 0]);
    expect(slice(x, [[1, 3, -1]]).shape).toEqual([0]);
  });

  test('sort puts nothing last, argsort keeps the order of equal ones, topK takes the first', () => {
    expect(sort(tensor([nothing, 2, -Infinity, 1])).toArray()).toEqual([-Infinity, 1, 2, nothing]);
    expect(sort(tensor([1, nothing, 2]), 0, { descending: true }).toArray()).toEqual([
      nothing,
      2,
      1,
    ]);
    expect(argsort(tensor([1, 0, 1, 0])).toArray()).toEqual([1, 3, 0, 2]);
    expect(argsort(tensor([1, 0, 1, 0]), -1, { descending: true }).toArray()).toEqual([0, 2, 1, 3]);
    const { values, indices } = topK(tensor([5, 7, 7, 1]), 2);
    expect([values.toArray(), indices.toArray(), indices.dtype]).toEqual([[7, 7], [1, 2], 'int32']);
    expect(sort(tensor([3, 1, 2], { dtype: 'int32' })).dtype).toBe('int32');
  });

  test('reductions of nothing, and of no axis', () => {
    const none = zeros([0, 2]);
    expect(prod(none, 0).toArray()).toEqual([1, 1]);
    expect(logSumExp(none, 0).toArray()).toEqual([-Infinity, -Infinity]);
    expect([any(none).item(), all(none).item()]).toEqual([0, 1]);
    expect(variance(none, 0).toArray()).toEqual([nothing, nothing]);
    for (const reduce of [sum, max, mean, prod]) {
      expect(reduce(tensor([[1, 2]]), []).toArray()).toEqual([[1, 2]]);
    }
  });

  test('logSumExp is safe for large numbers and infinities', () => {
    expect(logSumExp(tensor([1000, 1000])).item()).toBeCloseTo(1000 + Math.LN2, 3);
    expect(logSumExp(tensor([-Infinity, -Infinity])).item()).toBe(-Infinity);
    expect(logSumExp(tensor([1, Infinity])).item()).toBe(Infinity);
    expect(logSumExp(tensor([1, nothing])).item()).toBe(nothing);
  });

  test('lengths and deviations of 0 have the gradient 0', () => {
    for (const f of [norm, (x: Tensor) => std(x)]) {
      const x = zeros([3], { requiresGrad: true });
      f(x).backward();
      expect(x.grad?.toArray()).toEqual([0, 0, 0]);
    }
    for (const [ord, slope] of [
      [3, [0, 1]],
      [0.5, [0, 1]],
    ] as const) {
      const x = tensor([0, 4], { requiresGrad: true });
      norm(x, { ord }).backward();
      x.grad?.data.forEach((value, i) => {
        expect(value).toBeCloseTo(slope[i], 5);
      });
      const none = zeros([2], { requiresGrad: true });
      norm(none, { ord }).backward();
      expect(none.grad?.toArray()).toEqual([0, 0]);
    }
    expect(norm(tensor([nothing, 1]), { ord: 3 }).item()).toBe(nothing);
    expect(norm(tensor([3, -4]), { ord: Infinity }).item()).toBe(4);
    expect(norm(tensor([3, -4]), { ord: -Infinity }).item()).toBe(3);
    expect(norm(tensor([3, 0]), { ord: 0 }).item()).toBe(1);
    expect(variance(tensor([1])).item()).toBe(nothing);
  });

  test.each([[0], [1], [2]])('products have their gradient with %i zeros', (count) => {
    const x = tensor(
      [0, 0, 3, -2, 5].map((value, i) => (i < count ? 0 : value || 7)),
      {
        dtype: 'float64',
      },
    );
    // With a gradient that is not 0 as a whole.
    expect(gradCheck((y) => add(prod(y), sum(y)), [x])).toBeLessThan(1e-6);
    expect(gradCheck((y) => cumprod(y), [x])).toBeLessThan(1e-6);
    expect(gradCheck((y) => cumprod(y, 0, { exclusive: true, reverse: true }), [x])).toBeLessThan(
      1e-6,
    );
  });

  test('a scalar is a line of one element', () => {
    const x = tensor(5, { requiresGrad: true });
    for (const run of [cumsum, cumprod, sort] as const) {
      expect([run(x).shape, run(x, 0).item()]).toEqual([[], 5]);
    }
    expect(cumsum(x, 0, { exclusive: true }).item()).toBe(0);
    expect(argsort(x).toArray()).toBe(0);
    expect(takeAlongAxis(x, argsort(x)).toArray()).toBe(5);
    expect(takeAlongAxis(x, [0, -1]).toArray()).toEqual([5, 5]);
    const { values, indices } = topK(x, 1);
    expect([values.toArray(), indices.toArray()]).toEqual([5, 0]);
    expect(topK(x, 0).values.shape).toEqual([0]);
    add(add(sort(x), values), takeAlongAxis(x, 0)).backward();
    expect(x.grad?.toArray()).toBe(3);
  });

  test('of a list of operands', () => {
    const lists = [tensor([1, 5, 2]), [[2], [4]], 3];
    expect(maximum(lists).toArray()).toEqual([
      [3, 5, 3],
      [4, 5, 4],
    ]);
    expect(minimum(lists).toArray()).toEqual([
      [1, 2, 2],
      [1, 3, 2],
    ]);
    expect(add(lists).toArray()).toEqual([
      [6, 10, 7],
      [8, 12, 9],
    ]);
    expect([maximum([7]).item(), add([true, true, true]).item()]).toEqual([7, 3]);
    expect([add([int(1), 2, 3]).dtype, maximum([int(1), 2.5]).dtype]).toEqual(['int32', 'float32']);
    const equals = [1, 2, 2, 2].map((value) => tensor([value], { requiresGrad: true }));
    sum(maximum(equals)).backward();
    equals.forEach(({ grad }, i) => {
      expect(grad?.item()).toBeCloseTo(i === 0 ? 0 : 1 / 3, 6);
    });
    const inputs = [
      distinct([2, 3], 1),
      add(distinct([3], 2), 0.03),
      add(distinct([2, 1], 3), 0.06),
    ];
    for (const run of [add, maximum, minimum]) {
      expect(gradCheck((...x) => run(x), inputs)).toBeLessThan(1e-6);
    }
    // Of what Array.reduce gives, the third and fourth are no operands.
    expect([int(1), int(9), int(3)].reduce(maximum).item()).toBe(9);
    expect([int(1), int(9), int(3)].reduce(add).item()).toBe(13);
  });

  test('oneHot of any axis, values and negative labels', () => {
    const options = { axis: 1, onValue: 5, offValue: -1, dtype: 'int32', fromEnd: true } as const;
    const y = oneHot([[0], [-1]], 3, options);
    expect(y.toArray()).toEqual([
      [[5], [-1], [-1]],
      [[-1], [-1], [5]],
    ]);
    expect(
      oneHot([1, 0], 2, { axis: 0, dtype: 'bool', onValue: false, offValue: true }).toArray(),
    ).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(oneHot(1, 2).toArray()).toEqual([0, 1]);
  });

  test('vectors get length 1, and those of length 0 stay', () => {
    const y = normalize(
      tensor([
        [3, -4],
        [0, 0],
      ]),
    );
    expect(y.toArray()).toEqual([
      [Math.fround(0.6), Math.fround(-0.8)],
      [0, 0],
    ]);
    expect(normalize(tensor([3, -4]), { ord: Infinity }).toArray()).toEqual([0.75, -1]);
    const x = zeros([2], { requiresGrad: true });
    sum(normalize(x, { epsilon: 0.5 })).backward();
    expect(x.grad?.toArray()).toEqual([2, 2]);
  });

  test('neighbouring channels, of which a window of even size has one more before', () => {
    const x = tensor([[1, 2, 3]]);
    const sums = (size: number): number[] => {
      const y = localResponseNorm(x, size, { alpha: size, beta: -1, k: 0 });
      return Array.from(y.data, (value) => Math.round(value * 1e4) / 1e4);
    };
    expect(sums(3)).toEqual([1 * 5, 2 * 14, 3 * 13]);
    expect(sums(2)).toEqual([1 * 1, 2 * 5, 3 * 13]);
    expect(sums(100)).toEqual([14, 28, 42]);
    expect(localResponseNorm(zeros([2, 0, 3]), 5).shape).toEqual([2, 0, 3]);
  });

  test('selu of other constants, and prelu with slopes of its own shape', () => {
    expect(selu(tensor([2, -1]), { scale: 3, alpha: 2 }).data[0]).toBe(6);
    expect(selu(tensor([2, -1]), { scale: 3, alpha: 2 }).data[1]).toBeCloseTo(
      6 * Math.expm1(-1),
      5,
    );
    expect(
      prelu(
        tensor([
          [-1, -2],
          [-3, 4],
        ]),
        [[2, 3]],
      ).toArray(),
    ).toEqual([
      [-2, -6],
      [-6, 4],
    ]);
    expect(prelu(tensor([-1, 2]), [3, 4]).toArray()).toEqual([-3, 2]);
  });

  test('scans of integers', () => {
    const sums = cumsum(tensor(new Uint8Array([200, 100])), 0);
    expect([sums.dtype, sums.toArray()]).toEqual(['int32', [200, 300]]);
    expect(cumprod(int(2, 3, 4), 0, { exclusive: true }).toArray()).toEqual([1, 2, 6]);
    expect(prod(tensor([true, false])).item()).toBe(0);
  });

  test('of several written to one place the last stays, and the others get no gradient', () => {
    const [x, source] = [zeros([3], { requiresGrad: true }), ones([2], { requiresGrad: true })];
    sum(scatter(x, int(1, 1), source, 0)).backward();
    expect(x.grad?.toArray()).toEqual([1, 0, 1]);
    expect(source.grad?.toArray()).toEqual([0, 1]);
    const product = scatter(tensor([2, 3]), int(0, 0, -1), tensor([5, 7, 2]), 0, {
      reduction: 'multiply',
    });
    expect(product.toArray()).toEqual([70, 6]);
    const large = scatter(int(2 ** 30 + 1, 0), int(0, 0), int(2 ** 30 + 1, 3), 0, {
      reduction: 'multiply',
    });
    expect([large.dtype, large.data[0]]).toEqual([
      'int32',
      Math.imul(Math.imul(2 ** 30 + 1, 2 ** 30 + 1), 3),
    ]);
  });

  test('equal ones share the gradient of what is scattered, and NaN takes it', () => {
    const [x, source] = [
      tensor([1, 5], { requiresGrad: true }),
      tensor([1, 1, nothing], { requiresGrad: true }),
    ];
    sum(scatter(x, int(0, 0, 1), source, 0, { reduction: 'max' })).backward();
    expect(x.grad?.toArray()).toEqual([Math.fround(1 / 3), 1]);
    expect(source.grad?.toArray()).toEqual([Math.fround(1 / 3), Math.fround(1 / 3), 1]);
    const [y, factors] = [
      tensor([2, 3], { requiresGrad: true }),
      tensor([0, 4, 5], { requiresGrad: true }),
    ];
    sum(scatter(y, int(0, 0, 0), factors, 0, { reduction: 'multiply' })).backward();
    expect(y.grad?.toArray()).toEqual([0, 1]);
    expect(factors.grad?.toArray()).toEqual([40, 0, 0]);
  });

  test('writing slices keeps the dtype, and takes vectors of any length', () => {
    const x = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: 'int32' },
    );
    expect(scatterNd(x, [[1]], tensor([[8, 9]], { dtype: 'int32' })).toArray()).toEqual([
      [1, 2],
      [8, 9],
    ]);
    expect(scatterNd(x, [[0, -1]], int(7)).toArray()).toEqual([
      [1, 7],
      [3, 4],
    ]);
    expect(gatherNd(x, [[[1]], [[0]]], { batchAxes: 1 }).toArray()).toEqual([[2], [3]]);
  });

  test('einsum of integers, of three operands and of axes under an ellipsis', () => {
    expect(einsum('i,i->', int(2, 3), int(4, 5)).item()).toBe(23);
    const shapes = [
      [2, 1, 3],
      [4, 3],
    ].map((shape) => ones(shape));
    expect(einsum('...i,...i->...', ...shapes).shape).toEqual([2, 4]);
    expect(einsum('...i,...i', ...shapes).shape).toEqual([2, 4]);
    expect(einsum('ij,j->i', zeros([0, 3]), ones([3])).shape).toEqual([0]);
    expect(einsum('...i,...i->i', zeros([0, 3]), ones([1, 3])).toArray()).toEqual([0, 0, 0]);
    expect(einsum('...i,...i->i', ...shapes).toArray()).toEqual([8, 8, 8]);
    expect(
      gradCheck(
        (...x) => einsum('ab,bc,ca->b', ...x),
        [normal([2, 3], 1), normal([3, 4], 2), normal([4, 2], 3)],
      ),
    ).toBeLessThan(1e-6);
  });

  test('negative margins cut off, on one side while the other grows', () => {
    expect(pad(tensor([1, 2, 3]), [[-1, 2]]).toArray()).toEqual([2, 3, 0, 0]);
    expect(pad(tensor([1, 2, 3]), [[2, -2]], { mode: 'edge' }).toArray()).toEqual([1, 1, 1]);
    expect(pad(tensor([1, 2]), [[-3, 4]]).toArray()).toEqual([0, 0, 0]);
  });

  test('products of transposed operands', () => {
    const [a, b] = [tensor([[1, 2, 3]]), tensor([[4], [5], [6]])];
    expect(matmul(a, a, { transposeB: true }).item()).toBe(14);
    expect(matmul(b, b, { transposeA: true }).item()).toBe(77);
    expect(matmul(b, a, { transposeA: true, transposeB: true }).item()).toBe(32);
    expect(matmul(tensor([1, 2, 3]), a, { transposeA: true, transposeB: true }).toArray()).toEqual([
      14,
    ]);
    expect(addmm(1, a, b, { alpha: 2, beta: 10 }).item()).toBe(74);
    expect(() => matmul(a, a, { transposeA: 1 as never })).toThrow(
      /transposeA must be true or false/,
    );
  });

  test('small things', () => {
    expect(
      argmax(
        tensor([
          [1, 5],
          [5, 2],
        ]),
        undefined,
        { keepDims: true },
      ).toArray(),
    ).toEqual([[1]]);
    expect(argmax(tensor([1, 5, 5]), 0, { selectLast: true }).item()).toBe(2);
    expect(gather(tensor([1, 2, 3]), -1).item()).toBe(3);
    expect(linspace(0, 1, 5).toArray()).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(linspace(2, 9, 1).toArray()).toEqual([2]);
    expect(linspace(0, 8, 3, { dtype: 'int32' }).toArray()).toEqual([0, 4, 8]);
    expect(eye(2, { dtype: 'bool' }).toArray()).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(tril(tensor([[true, true]])).toArray()).toEqual([[true, false]]);
    expect(flatten(tensor(1)).shape).toEqual([1]);
    expect(squeeze(zeros([1, 2, 1])).shape).toEqual([2]);
    expect(unsqueeze(zeros([2]), [0, -1]).shape).toEqual([1, 2, 1]);
    expect(tile(tensor([1, 2]), [2, 1]).toArray()).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(roll(tensor([1, 2, 3]), 1).toArray()).toEqual([3, 1, 2]);
    expect(chunk(zeros([5]), 2).map(({ size }) => size)).toEqual([3, 2]);
    expect(split(zeros([0]), 2).map(({ size }) => size)).toEqual([0]);
    expect(sort(distinct([0], 1)).shape).toEqual([0]);
  });
});
