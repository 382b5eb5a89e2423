import {
  add,
  argmax,
  argmin,
  argsort,
  avgPool2d,
  batchNorm2d,
  batchNorm2dBranches,
  broadcastTo,
  type Conv2dOptions,
  cast,
  concat,
  conv2d,
  conv2dBranches,
  convTranspose2d,
  cumsum,
  type DType,
  div,
  dropout,
  equal,
  gather,
  globalAvgPool2d,
  greater,
  greaterEqual,
  instanceNorm,
  interpolate,
  layerNorm,
  less,
  lessEqual,
  listOps,
  logSoftmax,
  matmul,
  max,
  maximum,
  maxPool2d,
  maxUnpool2d,
  mean,
  min,
  minimum,
  mod,
  mul,
  type NestedArray,
  notEqual,
  oneHot,
  ones,
  pad,
  permute,
  pow,
  reshape,
  type Shape,
  scatterNd,
  setBackend,
  slice,
  softmax,
  softmaxCrossEntropy,
  sub,
  sum,
  type Tensor,
  where,
  zeros,
} from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { ADJOINT_CASES } from './op-cases/index.ts';
import { POINTWISE_ENTRIES } from './pointwise-functions.ts';
import { UNARY_ENTRIES } from './unary-functions.ts';

/** A call of an operation whose inputs (all ones), or whose output, have no elements. */
interface EmptyCall {
  readonly op: string;
  readonly inputs: readonly Shape[];
  readonly run: (...inputs: Tensor[]) => Tensor;
  readonly shape: Shape;
  /** The output, where it has elements. */
  readonly values?: NestedArray;
  /** Gradients of its sum by the inputs, where they are not zeros or nothing. */
  readonly grads?: readonly NestedArray[];
}

const remainder = (a: Tensor, b: Tensor): Tensor => mod(a, b);
const BINARY = { add, div, maximum, minimum, mod: remainder, mul, pow, sub };
const COMPARISONS = { equal, greater, greaterEqual, less, lessEqual, notEqual };

const integers = (shape: Shape, dtype: DType = 'int32'): Tensor => zeros(shape, { dtype });
const nothing = Number.NaN;

function batchNorm(training: boolean) {
  return (x: Tensor, weight: Tensor, bias: Tensor): Tensor => {
    const statistics = { runningMean: zeros(weight.shape), runningVariance: ones(weight.shape) };
    const y = batchNorm2d(x, weight, bias, { ...statistics, training });
    expect(statistics.runningMean.toArray()).toEqual(zeros(weight.shape).toArray());
    expect(statistics.runningVariance.toArray()).toEqual(ones(weight.shape).toArray());
    return y;
  };
}

/** Two branches with ReLU; those of ones have ones as output. */
function batchNorms(x: Tensor, ...parameters: Tensor[]): Tensor {
  const [weight, bias, nextWeight, nextBias] = parameters;
  const statisticsOf = ({ shape }: Tensor) => ({
    runningMean: zeros(shape),
    runningVariance: ones(shape),
  });
  const branches = [
    { weight, bias, ...statisticsOf(weight) },
    { weight: nextWeight, bias: nextBias, ...statisticsOf(nextWeight) },
  ];
  return batchNorm2dBranches(x, branches, { activation: 'relu' });
}

const convolution =
  (options: Conv2dOptions & { activation?: 'relu' } = {}) =>
  (x: Tensor, weight: Tensor, bias: Tensor): Tensor =>
    conv2d(x, weight, bias, options);

const CALLS: readonly EmptyCall[] = [
  ...[...UNARY_ENTRIES, ...POINTWISE_ENTRIES].map(([op, run]) => {
    return { op, inputs: [[0, 3]], run: (x: Tensor) => run(x), shape: [0, 3] };
  }),
  ...Object.entries({ ...BINARY, ...COMPARISONS }).flatMap(([op, run]) => [
    { op, inputs: [[2, 0], [1]], run, shape: [2, 0] },
    {
      op,
      inputs: [
        [1, 3],
        [0, 1],
      ],
      run,
      shape: [0, 3],
    },
  ]),
  { op: 'where', inputs: [[0, 2], [2]], run: (a, b) => where(greater(a, b), a, b), shape: [0, 2] },
  { op: 'cast', inputs: [[0]], run: (x) => cast(cast(x, 'float64'), 'float32'), shape: [0] },
  { op: 'dropout', inputs: [[0, 2]], run: (x) => dropout(x), shape: [0, 2] },

  { op: 'cumsum', inputs: [[2, 0]], run: (x) => cumsum(x), shape: [2, 0] },
  { op: 'argsort', inputs: [[2, 0]], run: (x) => argsort(x), shape: [2, 0] },
  { op: 'reshape', inputs: [[2, 0]], run: (x) => reshape(x, [0, 3]), shape: [0, 3] },
  { op: 'permute', inputs: [[2, 0, 3]], run: (x) => permute(x, [1, 2, 0]), shape: [0, 3, 2] },
  { op: 'broadcastTo', inputs: [[1, 0]], run: (x) => broadcastTo(x, [2, 0]), shape: [2, 0] },
  { op: 'broadcastTo', inputs: [[1, 3]], run: (x) => broadcastTo(x, [0, 3]), shape: [0, 3] },
  { op: 'slice', inputs: [[3, 2]], run: (x) => slice(x, [[2, 1]]), shape: [0, 2] },
  {
    op: 'slice',
    inputs: [[0, 2]],
    run: (x) =>
      slice(x, [
        [0, 5],
        [1, 2],
      ]),
    shape: [0, 1],
  },
  {
    op: 'pad',
    inputs: [[0, 2]],
    run: (x) =>
      pad(
        x,
        [
          [1, 1],
          [0, 0],
        ],
        { value: 4 },
      ),
    shape: [2, 2],
    values: [
      [4, 4],
      [4, 4],
    ],
  },
  {
    op: 'concat',
    inputs: [
      [0, 2],
      [1, 2],
      [0, 2],
    ],
    run: (...inputs) => concat(inputs),
    shape: [1, 2],
    values: [[1, 1]],
    grads: [[], [[1, 1]], []],
  },
  {
    op: 'concat',
    inputs: [
      [0, 2],
      [0, 3],
    ],
    run: (...x) => concat(x, 1),
    shape: [0, 5],
  },
  { op: 'gather', inputs: [[3, 2]], run: (x) => gather(x, integers([0])), shape: [0, 2] },
  { op: 'gather', inputs: [[0, 2]], run: (x) => gather(x, integers([3]), 1), shape: [0, 3] },
  {
    op: 'scatter',
    inputs: [
      [3, 0],
      [2, 0],
    ],
    run: (x, source) => scatterNd(x, [[0], [0]], source, { reduction: 'max' }),
    shape: [3, 0],
  },
  { op: 'oneHot', inputs: [], run: () => oneHot(integers([0]), 4), shape: [0, 4] },

  { op: 'sum', inputs: [[0, 3]], run: (x) => sum(x), shape: [], values: 0 },
  { op: 'sum', inputs: [[0, 3]], run: (x) => sum(x, 0), shape: [3], values: [0, 0, 0] },
  { op: 'sum', inputs: [[0, 3]], run: (x) => sum(x, 1), shape: [0] },
  { op: 'mean', inputs: [[0]], run: (x) => mean(x), shape: [], values: nothing },
  { op: 'mean', inputs: [[2, 0]], run: (x) => mean(x, 1), shape: [2], values: [nothing, nothing] },
  { op: 'mean', inputs: [[2, 0]], run: (x) => mean(x, 0), shape: [0] },
  { op: 'mean', inputs: [[0, 3, 2, 2]], run: globalAvgPool2d, shape: [0, 3] },
  { op: 'max', inputs: [[0, 3]], run: (x) => max(x, 1), shape: [0] },
  { op: 'min', inputs: [[3, 0]], run: (x) => min(x, 0), shape: [0] },
  { op: 'argmax', inputs: [[0, 3]], run: (x) => argmax(x, 1), shape: [0] },
  { op: 'argmin', inputs: [[3, 0]], run: (x) => argmin(x, 0), shape: [0] },
  {
    op: 'normalizeRows',
    inputs: [[0, 5], [5], [5]],
    run: (x, weight, bias) => layerNorm(x, weight, bias),
    shape: [0, 5],
  },
  {
    op: 'normalizeRows',
    inputs: [[3, 0], [0], [0]],
    run: (x, weight, bias) => layerNorm(x, weight, bias),
    shape: [3, 0],
  },
  { op: 'normalizeRows', inputs: [[2, 0, 3]], run: (x) => instanceNorm(x), shape: [2, 0, 3] },
  { op: 'softmax', inputs: [[3, 0]], run: (x) => softmax(x), shape: [3, 0] },
  { op: 'softmax', inputs: [[3, 0]], run: (x) => softmax(x, 0), shape: [3, 0] },
  { op: 'logSoftmax', inputs: [[0, 3]], run: (x) => logSoftmax(x), shape: [0, 3] },
  {
    op: 'softmaxCrossEntropy',
    inputs: [[0, 3]],
    run: (logits) => softmaxCrossEntropy(logits, integers([0])),
    shape: [0],
  },
  {
    op: 'matmul',
    inputs: [
      [2, 0],
      [0, 3],
    ],
    run: (a, b) => matmul(a, b),
    shape: [2, 3],
    values: [
      [0, 0, 0],
      [0, 0, 0],
    ],
  },
  {
    op: 'matmul',
    inputs: [
      [0, 4],
      [4, 3],
    ],
    run: (a, b) => matmul(a, b),
    shape: [0, 3],
  },
  {
    op: 'matmul',
    inputs: [
      [2, 4],
      [4, 0],
    ],
    run: (a, b) => matmul(a, b),
    shape: [2, 0],
  },
  {
    op: 'matmul',
    inputs: [
      [0, 2, 4],
      [4, 3],
    ],
    run: (a, b) => matmul(a, b),
    shape: [0, 2, 3],
  },
  { op: 'matmul', inputs: [[0], [0]], run: (a, b) => matmul(a, b), shape: [], values: 0 },

  {
    op: 'conv2d',
    inputs: [[0, 2, 5, 5], [4, 2, 3, 3], [4]],
    run: convolution({ activation: 'relu' }),
    shape: [0, 4, 3, 3],
  },
  {
    op: 'conv2d',
    inputs: [[2, 2, 5, 5], [0, 2, 3, 3], [0]],
    run: convolution({ padding: 1 }),
    shape: [2, 0, 5, 5],
  },
  {
    op: 'conv2d',
    inputs: [[1, 0, 2, 3], [2, 0, 1, 1], [2]],
    run: convolution({ groups: 2, stride: 2 }),
    shape: [1, 2, 1, 2],
    values: [[[[1, 1]], [[1, 1]]]],
    grads: [[[]], [[], []], [2, 2]],
  },
  {
    op: 'conv2d',
    inputs: [[1, 1, 0, 2], [1, 1, 3, 3], [1]],
    run: convolution({ padding: 2 }),
    shape: [1, 1, 2, 4],
    values: [
      [
        [
          [1, 1, 1, 1],
          [1, 1, 1, 1],
        ],
      ],
    ],
    grads: [[[[]]], zeros([1, 1, 3, 3]).toArray(), [8]],
  },
  {
    op: 'conv2d',
    inputs: [
      [1, 1, 1, 2],
      [0, 1, 1, 1],
      [1, 1, 1, 1],
    ],
    run: (x, first, second) => {
      const branches = [first, second].map((weight) => ({ weight, bias: null }));
      return conv2dBranches(x, branches);
    },
    shape: [1, 1, 1, 2],
    values: [[[[1, 1]]]],
    grads: [[[[[1, 1]]]], [], [[[[2]]]]],
  },
  {
    op: 'batchNorm2d',
    inputs: [[0, 2, 3, 3], [2], [2]],
    run: batchNorm(true),
    shape: [0, 2, 3, 3],
  },
  {
    op: 'batchNorm2d',
    inputs: [[2, 2, 0, 3], [2], [2]],
    run: batchNorm(true),
    shape: [2, 2, 0, 3],
  },
  {
    op: 'batchNorm2d',
    inputs: [[2, 0, 3, 3], [0], [0]],
    run: batchNorm(true),
    shape: [2, 0, 3, 3],
  },
  {
    op: 'batchNorm2d',
    inputs: [[0, 2, 3, 3], [2], [2]],
    run: batchNorm(false),
    shape: [0, 2, 3, 3],
  },
  {
    op: 'batchNorm2d',
    inputs: [[0, 3, 2, 2], [1], [1], [2], [2]],
    run: batchNorms,
    shape: [0, 3, 2, 2],
  },
  {
    op: 'batchNorm2d',
    inputs: [[2, 1, 1, 2], [0], [0], [1], [1]],
    run: batchNorms,
    shape: [2, 1, 1, 2],
    values: [[[[1, 1]]], [[[1, 1]]]],
    grads: [zeros([2, 1, 1, 2]).toArray(), [], [], [0], [4]],
  },
  {
    op: 'maxPool2d',
    inputs: [[0, 2, 4, 5]],
    run: (x) => maxPool2d(x, { kernelSize: 2 }),
    shape: [0, 2, 2, 2],
  },
  {
    op: 'multiplyAxis',
    inputs: [[0, 2, 4, 5]],
    run: (x) => interpolate(x, { scale: [2, 0.5], mode: 'linear' }),
    shape: [0, 2, 8, 2],
  },
  {
    op: 'maxPool2d',
    inputs: [[2, 0, 4, 5]],
    run: (x) => maxPool2d(x, { kernelSize: 3, stride: 2, ceilMode: true }),
    shape: [2, 0, 2, 2],
  },
  {
    op: 'maxUnpool2d',
    inputs: [[2, 0, 2, 3]],
    run: (x) => maxUnpool2d(x, zeros([2, 0, 2, 3], { dtype: 'int32' }), { kernelSize: 2 }),
    shape: [2, 0, 4, 6],
  },
  {
    op: 'convTranspose2d',
    inputs: [
      [0, 2, 2, 3],
      [2, 1, 3, 3],
    ],
    run: (x, weight) => convTranspose2d(x, weight),
    shape: [0, 1, 4, 5],
  },
  {
    op: 'avgPool2d',
    inputs: [[0, 2, 4, 5]],
    run: (x) => avgPool2d(x, { kernelSize: 3, stride: 1, padding: 'same' }),
    shape: [0, 2, 4, 5],
  },
];

test('every operation is called with nothing', () => {
  const called = new Set([...CALLS, ...ADJOINT_CASES].map(({ op }) => op));
  expect([...called].sort()).toEqual(
    listOps()
      .map(({ name }) => name)
      .sort(),
  );
});

const backends = [
  { backend: 'reference', options: {} },
  { backend: 'wasm', options: {} },
  { backend: 'gpu', options: { mode: 'cpu' } },
] as const;

describe.each(backends)('on $backend', ({ backend, options }) => {
  afterAll(() => setBackend('wasm'));

  test.each(CALLS)(
    '$op of $inputs is $shape',
    async ({ op, inputs, run, shape, values, grads }) => {
      await setBackend(backend, options);
      const leaves = inputs.map((input) => ones(input, { requiresGrad: true }));
      const y = run(...leaves);
      expect(y.shape).toEqual(shape);
      if (values !== undefined) expect(y.toArray()).toEqual(values);
      const info = listOps().find(({ name }) => name === op);
      expect(y.requiresGrad).toBe(info?.differentiable === true);
      if (!y.requiresGrad) return;
      y.backward(ones(shape));
      leaves.forEach(({ grad, shape: own }, i) => {
        expect(grad?.shape).toEqual(own);
        expect(grad?.toArray()).toEqual(grads?.[i] ?? zeros(own).toArray());
      });
    },
  );
});
