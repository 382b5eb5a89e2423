import {
  add,
  addmm,
  all,
  any,
  arange,
  argmax,
  argsort,
  chunk,
  conv1d,
  cumprod,
  cumsum,
  DTypeError,
  depthToSpace,
  diagonal,
  einsum,
  eye,
  flatten,
  gather,
  gatherNd,
  globalMaxPool1d,
  gradCheck,
  linspace,
  logicalAnd,
  logSumExp,
  matmul,
  max,
  maximum,
  maxPool1d,
  mean,
  minimum,
  norm,
  oneHot,
  ones,
  pad,
  prod,
  roll,
  ShapeError,
  scaledDotProductAttention,
  scatter,
  scatterNd,
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
  ValueError,
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
    const y = oneHot([[0], [-1]], 3, { axis: 1, onValue: 5, offValue: -1, dtype: 'int32' });
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

describe('mistakes are told in a sentence', () => {
  const x = zeros([2, 3]);
  test.each<[act: () => unknown, type: new (...args: never[]) => Error, message: string | RegExp]>([
    [() => squeeze(x, 0), ShapeError, /axis 0 has length 2, only axes of length 1 can go/],
    [() => unsqueeze(x, 5), ValueError, /axis must be an integer in \[-3, 3\)/],
    [() => unsqueeze(x, [0, 0]), ShapeError, /name an axis twice/],
    [() => flatten(x, { startAxis: 1, endAxis: 0 }), ShapeError, /axis 0 comes before axis 1/],
    [() => split(x, [1, 2]), ShapeError, /sizes 1 \+ 2 = 3 are not the length 2 of axis 0/],
    [() => chunk(x, 0), ValueError, /count must be an integer ≥ 1, got 0/],
    [() => roll(x, [1, 2], [0]), ShapeError, 'roll: 2 shifts for 1 axes'],
    [() => tile(x, [-1]), ValueError, /repeats must be a list of integers ≥ 0/],
    [() => tril(zeros([3])), ShapeError, /needs matrices: at least two axes/],
    [() => takeAlongAxis(x, int(0)), ShapeError, /indices must have the axes of the input/],
    [() => takeAlongAxis(x, [[3]]), ShapeError, /index 3 is outside axis 1 of length 3/],
    [() => scatter(x, [[0]], zeros([1, 2])), ShapeError, /indices and source must have one shape/],
    [() => scatter(x, [[0]], tensor([[0]], { dtype: 'int32' })), DTypeError, /one dtype for all/],
    [
      () => scatter(x, [[0]], [[0]], 1, { reduction: 'mean' as never }),
      ValueError,
      /reduction must/,
    ],
    [() => gatherNd(x, [[0, 0, 0]]), ShapeError, /vectors of at most 2 positions/],
    [() => gatherNd(x, [[2]]), ShapeError, /index 2 is outside axis 0 of length 2/],
    [() => scatterNd(x, [[0]], zeros([1, 2])), ShapeError, /updates must have shape \[1, 3\]/],
    [() => diagonal(x, { axis1: 0, axis2: -2 }), ShapeError, /two different axes/],
    [() => depthToSpace(zeros([1, 3, 1, 1]), 2), ShapeError, /2 × 2 does not divide 3 channels/],
    [() => topK(x, 4), ValueError, /k must be an integer from 0 to the axis's length of 3, got 4/],
    [() => any(x, 2), ValueError, /^any: axis must be an integer in \[-2, 2\)/],
    [() => std(x, [0, -2]), ShapeError, /^std: axes 0, 0 name an axis twice/],
    [() => norm(x, { keepDims: 1 as never }), ValueError, /^norm: keepDims must be true or false/],
    [() => norm(zeros([0]), { ord: Infinity }), ShapeError, /^norm: needs at least one element/],
    [() => logicalAnd(x, [1, 0]), ShapeError, /^logicalAnd: shapes do not broadcast/],
    [() => addmm(zeros([4]), x, ones([3, 2])), ShapeError, /^addmm: c does not broadcast with/],
    [
      () => arange(0, 2, 1, { requiresGrad: true }),
      DTypeError,
      /^arange: requiresGrad needs dtype float32 or float64, got int32 of shape \[2\]/,
    ],
    [
      () => scaledDotProductAttention(zeros([2, 1, 3]), zeros([4, 1, 3]), zeros([4, 1, 3])),
      ShapeError,
      /^scaledDotProductAttention: leading axes \(samples, heads\) do not broadcast/,
    ],
    [
      () => maxPool1d(zeros([1, 1, 2]), { kernelSize: 2, stride: 2 ** 25 }),
      ValueError,
      /^maxPool1d: stride must be at most 16777216, got 33554432/,
    ],
    [
      () => conv1d(zeros([1, 1, 2]), zeros([1, 1, 2]), null, { padding: 2 ** 25 }),
      ValueError,
      /^conv1d: padding must be at most 16777216, got 33554432/,
    ],
    [() => globalMaxPool1d(zeros([1, 1, 0])), ShapeError, /^globalMaxPool1d: needs at least one/],
    [() => maximum([]), ValueError, /^maximum: needs at least one tensor/],
    [
      () => add([x, [1], [1, 2]]),
      ShapeError,
      /^add: shapes do not broadcast.*\n {2}tensors\[0\] \[2, 3\]\n {2}tensors\[1\] \[1\]\n {2}tensors\[2\] \[2\]/,
    ],
    [
      () => oneHot([0], 2, { axis: 2 }),
      ValueError,
      /^oneHot: axis must be an integer in \[-2, 2\)/,
    ],
    [() => oneHot([-3], 2), ValueError, /^oneHot: label -3 is outside \[-2, 2\)/],
    [() => oneHot([0], 2, { dtype: 'uint8', offValue: -1 }), ValueError, /^oneHot: .*-1/],
    [() => einsum('ij,jk', x), ValueError, /must name the axes of 1 operands/],
    [() => einsum('ijk->i', x), ShapeError, /'ijk' names 3 axes of operand 0, which has 2/],
    [() => einsum('ii', x), ShapeError, /axis 'i' has length 2 in operand 0, 3 in operand 0/],
    [() => einsum('ij,jk->ik', x, x), ShapeError, /'j' has length 3 in operand 0, 2 in operand 1/],
    [() => einsum('ij->ik', x), ValueError, /names 'k', which no operand has/],
    [() => einsum('ij->ii', x), ValueError, /names an axis twice/],
    [() => einsum('ij->......ij', x), ValueError, /'\.\.\.' at most once/],
    [() => slice(x, [[0, 2, 1, 9]] as never), ValueError, /range of axis 0 must be/],
    [
      () =>
        pad(
          x,
          [
            [0, 0],
            [1, 1],
          ],
          { mode: 'edge', value: 5 },
        ),
      ValueError,
      /left out with mode 'edge'/,
    ],
    [() => einsum('i1->i', x), ValueError, /must be letters/],
    [
      () => pad(zeros([0]), [[1, 0]], { mode: 'edge' }),
      ShapeError,
      /do not fit axis 0 of length 0/,
    ],
    [
      () =>
        pad(
          x,
          [
            [0, 0],
            [1, 1],
          ],
          { mode: 'mirror' as never },
        ),
      ValueError,
      /mode must be/,
    ],
    [
      () => maxPool1d(zeros([1, 1, 2]), { kernelSize: 3 }),
      ShapeError,
      /window of 3 does not fit into a sequence of 2/,
    ],
    [
      () => conv1d(zeros([1, 2, 4]), zeros([1, 3, 2])),
      ShapeError,
      /input has 2 channels, weight expects 3/,
    ],
    [() => conv1d(zeros([1, 2]), zeros([1, 2, 2])), ShapeError, /3 axes \[N, C, L\]/],
    [
      () => logSumExp(x, 0, { keepDims: 'x' as never }),
      ValueError,
      /keepDims must be true or false/,
    ],
    [() => norm(x, { ord: nothing }), ValueError, /ord must be a number, got NaN/],
    [() => slice(zeros([2]), [[0, 1, 0]]), ValueError, /step ≠ 0/],
  ])('%s', (act, type, message) => {
    expect(act).toThrow(type);
    expect(act).toThrow(message);
  });
});
