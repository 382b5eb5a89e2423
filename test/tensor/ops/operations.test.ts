import {
  abs,
  add,
  arange,
  argmax,
  argmin,
  avgPool2d,
  broadcastTo,
  cast,
  concat,
  div,
  dropout,
  equal,
  exp,
  full,
  Generator,
  gather,
  gelu,
  globalAvgPool2d,
  greater,
  greaterEqual,
  leakyRelu,
  less,
  lessEqual,
  log,
  logSoftmax,
  matmul,
  max,
  maximum,
  maxPool2d,
  mean,
  min,
  minimum,
  mul,
  neg,
  notEqual,
  oneHot,
  ones,
  pad,
  permute,
  pow,
  relu,
  reshape,
  sigmoid,
  silu,
  slice,
  softmax,
  softmaxCrossEntropy,
  sqrt,
  stack,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  where,
  zeros,
} from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { expectValues } from '../../helpers/close.ts';

type Known = [what: string, result: () => Tensor, expected: Parameters<typeof expectValues>[1]];

const x = tensor([-2, 0, 3]);
const matrix = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
const int = (values: number[]): Tensor => tensor(values, { dtype: 'int32' });
const image = reshape(cast(arange(9), 'float32'), [1, 1, 3, 3]);
const e = Math.E;

describe('known values', () => {
  test.each<Known>([
    ['neg', () => neg(x), [2, 0, -3]],
    ['abs', () => abs(x), [2, 0, 3]],
    ['relu', () => relu(x), [0, 0, 3]],
    ['leakyRelu', () => leakyRelu(x, { negativeSlope: 0.5 }), [-1, 0, 3]],
    ['exp of integers', () => exp(int([0, 1])), [1, e]],
    ['log', () => log(tensor([1, e])), [0, 1]],
    ['sqrt', () => sqrt(tensor([4, 2])), [2, Math.SQRT2]],
    ['sigmoid, also far out', () => sigmoid(tensor([0, -1000, 1000])), [0.5, 0, 1]],
    ['tanh', () => tanh(tensor([0, Math.LN2])), [0, 0.6]],
    // Φ(1) = 0.8413447461, Φ(−6) = 9.8658765e−10
    ['gelu', () => gelu(tensor([1, -1, 0, 8])), [0.8413447, -0.1586553, 0, 8]],
    ['silu', () => silu(tensor([0, 1])), [0, 1 / (1 + 1 / e)]],
    ['add with a number', () => add(x, 1), [-1, 1, 4]],
    ['sub from a number', () => sub(1, x), [3, 1, -2]],
    [
      'mul, broadcasting',
      () => mul(tensor([[1], [2]]), x),
      [
        [-2, 0, 3],
        [-4, 0, 6],
      ],
    ],
    ['div of integers', () => div(int([1, 3]), 2), [0.5, 1.5]],
    ['pow', () => pow(tensor([2, 9, 0]), tensor([3, 0.5, 0])), [8, 3, 1]],
    ['maximum', () => maximum(x, 1), [1, 1, 3]],
    ['minimum', () => minimum(x, 1), [-2, 0, 1]],
    ['equal', () => equal(x, 0), [false, true, false]],
    ['notEqual', () => notEqual(x, 0), [true, false, true]],
    ['greater', () => greater(x, 0), [false, false, true]],
    ['greaterEqual', () => greaterEqual(x, 0), [false, true, true]],
    ['less', () => less(x, 0), [true, false, false]],
    ['lessEqual', () => lessEqual(x, 0), [true, true, false]],
    [
      'where, broadcasting',
      () => where(greater(x, 0), x, tensor([[7], [8]])),
      [
        [7, 7, 3],
        [8, 8, 3],
      ],
    ],
    ['cast to int32', () => cast(tensor([1.7, -1.7]), 'int32'), [1, -1]],
    ['cast to bool', () => cast(tensor([0, 0.2]), 'bool'), [false, true]],
    ['sum', () => sum(matrix), 21],
    ['sum of booleans counts', () => sum(greater(x, -1)), 2],
    ['sum along an axis', () => sum(matrix, 0), [5, 7, 9]],
    ['mean, keeping axes', () => mean(matrix, -1, { keepDims: true }), [[2], [5]]],
    ['mean of integers', () => mean(int([1, 2])), 1.5],
    ['sum of nothing', () => sum(zeros([0, 2]), 0), [0, 0]],
    ['max', () => max(matrix, [0, 1]), 6],
    ['min', () => min(matrix, 1), [1, 4]],
    ['argmax', () => argmax(matrix, 1), [2, 2]],
    ['argmax of equals is the first', () => argmax(tensor([1, 5, 5])), 1],
    [
      'argmin over all',
      () =>
        argmin(
          tensor([
            [3, 1],
            [0, 9],
          ]),
        ),
      2,
    ],
    [
      'matmul',
      () => matmul(matrix, transpose(matrix)),
      [
        [14, 32],
        [32, 77],
      ],
    ],
    ['matmul of vectors', () => matmul(tensor([1, 2]), tensor([3, 4])), 11],
    ['matmul of matrix and vector', () => matmul(matrix, tensor([1, 0, 1])), [4, 10]],
    ['matmul in batches', () => matmul(ones([2, 1, 2]), matrix), [[[5, 7, 9]], [[5, 7, 9]]]],
    [
      'reshape',
      () => reshape(matrix, [3, -1]),
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ],
    [
      'permute',
      () => permute(reshape(matrix, [1, 2, 3]), [2, 0, -2]),
      [[[1, 4]], [[2, 5]], [[3, 6]]],
    ],
    [
      'concat',
      () => concat([matrix, tensor([[7], [8]])], 1),
      [
        [1, 2, 3, 7],
        [4, 5, 6, 8],
      ],
    ],
    [
      'stack',
      () => stack([tensor([1, 2]), tensor([3, 4])], -1),
      [
        [1, 3],
        [2, 4],
      ],
    ],
    [
      'slice',
      () => slice(matrix, [null, [0, 3, 2]]),
      [
        [1, 3],
        [4, 6],
      ],
    ],
    ['slice from the end', () => slice(matrix, [[-1, 9]]), [[4, 5, 6]]],
    ['pad', () => pad(tensor([1]), [[1, 2]], { value: 9 }), [9, 1, 9, 9]],
    [
      'gather',
      () => gather(matrix, int([2, 0, 2]), 1),
      [
        [3, 1, 3],
        [6, 4, 6],
      ],
    ],
    [
      'broadcastTo',
      () => broadcastTo(tensor([1, 2]), [2, 2]),
      [
        [1, 2],
        [1, 2],
      ],
    ],
    ['softmax', () => softmax(tensor([0, Math.log(3)])), [0.25, 0.75]],
    ['softmax of large values', () => softmax(tensor([1e4, 1e4])), [0.5, 0.5]],
    ['logSoftmax', () => logSoftmax(tensor([[1], [1]]), 0), [[-Math.LN2], [-Math.LN2]]],
    ['softmaxCrossEntropy', () => softmaxCrossEntropy(zeros([1, 4]), int([2])), [Math.log(4)]],
    [
      'maxPool2d',
      () => maxPool2d(image, { kernelSize: 2, stride: 1 }),
      [
        [
          [
            [4, 5],
            [7, 8],
          ],
        ],
      ],
    ],
    [
      'avgPool2d',
      () => avgPool2d(image, { kernelSize: 2, stride: 1 }),
      [
        [
          [
            [2, 3],
            [5, 6],
          ],
        ],
      ],
    ],
    [
      'avgPool2d counts padding, but not beyond it (ceilMode)',
      () => avgPool2d(ones([1, 1, 3, 3]), { kernelSize: 2, padding: [1, 0, 0, 0], ceilMode: true }),
      [
        [
          [
            [0.5, 0.5],
            [1, 1],
          ],
        ],
      ],
    ],
    [
      'maxPool2d rounds up with ceilMode',
      () => maxPool2d(image, { kernelSize: 2, ceilMode: true }),
      [
        [
          [
            [4, 5],
            [7, 8],
          ],
        ],
      ],
    ],
    ['globalAvgPool2d', () => globalAvgPool2d(image), [[4]]],
    [
      'oneHot',
      () => oneHot(int([1, 0]), 3),
      [
        [0, 1, 0],
        [1, 0, 0],
      ],
    ],
    ['dropout scales what is left', () => max(dropout(ones([64]), { p: 0.75 })), 4],
    ['dropout without training', () => dropout(x, { training: false }), [-2, 0, 3]],
  ])('%s', (_, result, expected) => {
    expectValues(result(), expected);
  });

  test('gaussian tails keep their precision in float64', () => {
    const tail = gelu(tensor([-6], { dtype: 'float64' })).item();
    expect(tail / (-6 * 9.865876450376981e-10)).toBeCloseTo(1, 10);
  });
});

describe('gradients at kinks', () => {
  const gradAt = (fn: (x: Tensor) => Tensor, values: number[]): number[] => {
    const leaf = tensor(values, { requiresGrad: true });
    sum(fn(leaf)).backward();
    return Array.from(leaf.grad?.data ?? []);
  };

  test.each<[string, (x: Tensor) => Tensor, number[], number[]]>([
    ['relu at 0', relu, [0], [0]],
    ['abs at 0', abs, [0], [0]],
    ['leakyRelu at 0', (v) => leakyRelu(v, { negativeSlope: 0.25 }), [0], [0.25]],
    ['max shares among equals', max, [1, 4, 4], [0, 0.5, 0.5]],
    ['maximum shares between equals', (v) => maximum(v, 2), [1, 2, 3], [0, 0.5, 1]],
    ['minimum shares between equals', (v) => minimum(v, 2), [1, 2, 3], [1, 0.5, 0]],
    ['pow of 0 to the 0', (v) => pow(v, 0), [0, 2], [0, 0]],
    ['pow with base 0, by the exponent', (v) => pow(0, v), [2], [0]],
    [
      'maxPool2d gives all to the first of equals',
      (v) => maxPool2d(reshape(v, [1, 1, 2, 2]), { kernelSize: 2 }),
      [5, 5, 5, 1],
      [1, 0, 0, 0],
    ],
  ])('%s', (_, fn, values, expected) => {
    expect(gradAt(fn, values)).toEqual(expected);
  });
});

describe('NaN and infinity', () => {
  const nan = tensor([1, Number.NaN, 3]);
  test('NaN goes through, and wins', () => {
    expect(relu(nan).data[1]).toBeNaN();
    expect(max(nan).item()).toBeNaN();
    expect(argmax(nan).item()).toBe(1);
    expect(maximum(nan, 5).data[1]).toBeNaN();
    expect(maxPool2d(reshape(nan, [1, 1, 1, 3]), { kernelSize: [1, 3] }).item()).toBeNaN();
  });

  test('max-pool works on −Infinity alone, with padding', () => {
    const lowest = full([1, 1, 2, 2], Number.NEGATIVE_INFINITY);
    const pooled = maxPool2d(lowest, { kernelSize: 2, padding: 1 });
    expect([...pooled.data]).toEqual(new Array(4).fill(Number.NEGATIVE_INFINITY));
  });
});

describe('dropout', () => {
  test('drops the same elements for the same generator, and at the asked rate', () => {
    const mask = (seed: number) =>
      dropout(ones([10_000]), { p: 0.3, generator: new Generator(seed) });
    expect(mask(1).data).toEqual(mask(1).data);
    expect(mask(1).data).not.toEqual(mask(2).data);
    expect(mean(mask(1)).item()).toBeCloseTo(1, 1);
    expect(mask(1).data.filter((value) => value === 0).length / 1e4).toBeCloseTo(0.3, 1);
  });
});
