import { Generator, tensor } from '@firelight/tensor';
import { COMPOSED_CALLS } from './composed-calls.ts';
import {
  type ExampleCall,
  type Exports,
  example,
  numbers,
  type TensorArgument,
  x,
} from './example-call.ts';
import { UNARY_ENTRIES } from './unary-functions.ts';

const pair: readonly TensorArgument[] = [
  { at: [0], name: 'a' },
  { at: [1], name: 'b' },
];

const list: readonly TensorArgument[] = [
  { at: [0], name: 'tensors' },
  { at: [0, 0], name: 'tensors[0]' },
  { at: [0, 1], name: 'tensors[1]' },
];

const POINTWISE = [
  ...(['acos', 'acosh', 'asin', 'asinh', 'atan', 'atanh', 'ceil', 'cos', 'cosh', 'erf'] as const),
  ...([
    'expm1',
    'floor',
    'hardSwish',
    'isFinite',
    'isInf',
    'isNaN',
    'log1p',
    'logicalNot',
  ] as const),
  ...(['mish', 'reciprocal', 'relu6', 'round', 'rsqrt', 'sign', 'sin', 'sinh'] as const),
  ...(['softplus', 'softsign', 'square', 'tan'] as const),
];
const ARITHMETIC = ['add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum'] as const;
const COMPARISONS = ['equal', 'notEqual', 'greater', 'greaterEqual', 'less', 'lessEqual'] as const;
const REDUCTIONS = ['sum', 'mean', 'max', 'min'] as const;

const ofAxis = { keepDims: true };
const poolOptions = () => ({
  kernelSize: [2, 2],
  stride: 1,
  padding: 'valid',
  dilation: 1,
  ceilMode: false,
});
const convOptions = () => ({ stride: [1, 1], padding: [1, 0], dilation: 1, groups: 1 });
const createOptions = () => ({ dtype: 'float64', requiresGrad: true });
const generator = () => new Generator(7);
const labels = () => tensor([2, 0], { dtype: 'int32' });

/** A call of every exported operation, with all of its options. */
export const EXAMPLE_CALLS: readonly ExampleCall[] = [
  ...UNARY_ENTRIES.filter(([name]) => name !== 'leakyRelu' && name !== 'gelu').map(([name]) =>
    example(name, () => [numbers([2, 3])], [x]),
  ),
  ...POINTWISE.map((name) => example(name, () => [numbers([2, 3])], [x])),
  example('elu', () => [numbers([2, 3]), { alpha: 2 }], [x]),
  example('celu', () => [numbers([2, 3]), { alpha: 2 }], [x]),
  example('selu', () => [numbers([2, 3]), { scale: 2, alpha: 3 }], [x]),
  example('clip', () => [numbers([2, 3]), { min: -1, max: 1 }], [x]),
  example('hardSigmoid', () => [numbers([2, 3]), { alpha: 0.2, beta: 0.5 }], [x]),
  example('hardShrink', () => [numbers([2, 3]), { lambda: 0.2 }], [x]),
  example('softShrink', () => [numbers([2, 3]), { lambda: 0.2 }], [x]),
  example('thresholdedRelu', () => [numbers([2, 3]), { alpha: 0.2 }], [x]),
  example('gelu', () => [numbers([2, 3]), { approximate: 'tanh' }], [x]),
  example('prelu', () => [numbers([2, 3]), numbers([3], 2)], [x, { at: [1], name: 'weight' }]),
  example('mod', () => [numbers([2, 3]), numbers([3], 2), { sign: 'dividend' }], pair),
  ...(['logicalAnd', 'logicalOr', 'logicalXor'] as const).map((name) =>
    example(name, () => [numbers([2, 3]), numbers([3], 2)], pair),
  ),
  ...COMPOSED_CALLS,
  example('leakyRelu', () => [numbers([2, 3]), { negativeSlope: 0.2 }], [x]),
  ...[...ARITHMETIC, ...COMPARISONS].map((name) =>
    example(name, () => [numbers([2, 3]), numbers([3], 2)], pair),
  ),
  example('where', () => [tensor([[true], [false]]), numbers([2, 3]), numbers([3], 2)], [
    { at: [0], name: 'condition' },
    { at: [1], name: 'a' },
    { at: [2], name: 'b' },
  ]),
  ...REDUCTIONS.map((name) => example(name, () => [numbers([2, 3]), [-1], ofAxis], [x])),
  example('argmax', () => [numbers([2, 3]), 1], [x]),
  example('argmin', () => [numbers([2, 3]), 1], [x]),
  example('softmax', () => [numbers([2, 3]), 1], [x]),
  example('logSoftmax', () => [numbers([2, 3]), 1], [x]),
  example(
    'matmul',
    () => [numbers([2, 3]), numbers([3, 2], 2), { transposeA: false, transposeB: false }],
    pair,
  ),
  example(
    'addmm',
    () => [
      numbers([2], 3),
      numbers([3, 2]),
      numbers([2, 3], 2),
      { alpha: 2, beta: 0.5, transposeA: true, transposeB: true },
    ],
    [
      { at: [0], name: 'c' },
      { at: [1], name: 'a' },
      { at: [2], name: 'b' },
    ],
  ),
  example('reshape', () => [numbers([2, 3]), [3, -1]], [x]),
  example('transpose', () => [numbers([2, 3]), 0, 1], [x]),
  example('permute', () => [numbers([2, 3]), [1, 0]], [x]),
  example('broadcastTo', () => [numbers([3]), [2, 3]], [x]),
  example('slice', () => [numbers([4]), [[0, 4, 2]]], [x]),
  example('pad', () => [numbers([2]), [[1, 2]], { value: 3 }], [x]),
  example('cast', () => [numbers([2]), 'float64'], [x]),
  ...(['concat', 'stack'] as const).map((name) =>
    example(name, () => [[numbers([2, 3]), numbers([2, 3], 2)], 1], list),
  ),
  ...(['add', 'maximum', 'minimum'] as const).map((name) =>
    example(name, () => [[numbers([2, 3]), numbers([3], 2), numbers([2, 1], 3)]], list),
  ),
  example('gather', () => [numbers([3, 2]), labels(), 0], [x, { at: [1], name: 'indices' }]),
  example(
    'oneHot',
    () => [labels(), 3, { dtype: 'uint8', axis: 0, fromEnd: true, onValue: 2, offValue: 1 }],
    [{ at: [0], name: 'labels' }],
  ),
  example('softmaxCrossEntropy', () => [numbers([2, 3]), labels(), { reduction: 'sum' }], [
    { at: [0], name: 'logits' },
    { at: [1], name: 'labels' },
  ]),
  example(
    'conv2d',
    () => [
      numbers([1, 2, 3, 3]),
      numbers([2, 2, 2, 2], 2),
      numbers([2], 3),
      { ...convOptions(), activation: 'relu' },
    ],
    [x, { at: [1], name: 'weight' }, { at: [2], name: 'bias', isOptional: true }],
  ),
  example(
    'conv2dBranches',
    () => [
      numbers([1, 2, 3, 3]),
      [
        { weight: numbers([2, 2, 2, 2], 2), bias: numbers([2], 3), ...convOptions() },
        { weight: numbers([1, 2, 2, 2], 4), bias: null, ...convOptions() },
      ],
      { activation: 'none' },
    ],
    [
      x,
      { at: [1, 0, 'weight'], name: 'weight' },
      { at: [1, 0, 'bias'], name: 'bias', isOptional: true },
    ],
  ),
  example('maxPool2d', () => [numbers([1, 2, 3, 3]), poolOptions()], [x]),
  example('maxPool2dWithIndices', () => [numbers([1, 2, 3, 3]), poolOptions()], [x]),
  example(
    'maxUnpool2d',
    () => [
      numbers([1, 1, 2, 2]),
      tensor([0, 2, 8, 10], { shape: [1, 1, 2, 2], dtype: 'int32' }),
      { kernelSize: [2, 2], stride: 2, padding: 0, outputSize: [4, 4] },
    ],
    [x, { at: [1], name: 'indices' }],
  ),
  example('avgPool2d', () => [numbers([1, 2, 3, 3]), { ...poolOptions(), countIncludePad: true }], [
    x,
  ]),
  example(
    'convTranspose2d',
    () => [
      numbers([1, 2, 3, 3]),
      numbers([2, 2, 2, 2], 2),
      numbers([2], 3),
      { stride: 2, padding: [1, 0], outputPadding: [0, 1], dilation: 1, groups: 1 },
    ],
    [x, { at: [1], name: 'weight' }, { at: [2], name: 'bias', isOptional: true }],
  ),
  example('adaptiveAvgPool2d', () => [numbers([1, 2, 3, 3]), 2], [x]),
  example('adaptiveMaxPool2d', () => [numbers([1, 2, 3, 3]), [2, 1]], [x]),
  example('globalMaxPool2d', () => [numbers([1, 2, 3, 3])], [x]),
  example('globalAvgPool2d', () => [numbers([1, 2, 3, 3])], [x]),
  ...[true, false].map((training) =>
    example(
      'batchNorm2d',
      () => [
        numbers([2, 2, 2, 2]),
        numbers([2], 2),
        numbers([2], 3),
        {
          runningMean: numbers([2], 4),
          runningVariance: tensor([1, 2]),
          training,
          momentum: 0.2,
          epsilon: 1e-3,
          activation: 'relu',
        },
      ],
      [
        x,
        { at: [1], name: 'weight' },
        { at: [2], name: 'bias' },
        { at: [3, 'runningMean'], name: 'runningMean', isTarget: training },
        { at: [3, 'runningVariance'], name: 'runningVariance', isTarget: training },
      ],
    ),
  ),
  ...[true, false].map((training) =>
    example(
      'batchNorm2dBranches',
      () => [
        numbers([2, 3, 2, 2]),
        [
          {
            weight: numbers([2], 2),
            bias: numbers([2], 3),
            runningMean: numbers([2], 4),
            runningVariance: tensor([1, 2]),
          },
          {
            weight: numbers([1], 5),
            bias: numbers([1], 6),
            runningMean: numbers([1], 7),
            runningVariance: tensor([3]),
          },
        ],
        { training, momentum: 0.2, epsilon: 1e-3, activation: 'none' },
      ],
      [
        x,
        { at: [1, 0, 'weight'], name: 'weight' },
        { at: [1, 1, 'bias'], name: 'bias' },
        { at: [1, 0, 'runningMean'], name: 'runningMean', isTarget: training },
        { at: [1, 1, 'runningVariance'], name: 'runningVariance', isTarget: training },
      ],
    ),
  ),
  example('dropout', () => [numbers([8]), { p: 0.5, training: true, generator: generator() }], [x]),
  example('assign', () => [numbers([2]), numbers([2], 2)], [
    { at: [0], name: 'target', isTarget: true },
    { at: [1], name: 'source' },
  ]),
  example(
    'momentumStep',
    () => [
      numbers([2]),
      numbers([2], 2),
      numbers([2], 3),
      { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01, lossScale: 2, nesterov: true },
    ],
    [
      { at: [0], name: 'parameter', isTarget: true },
      { at: [1], name: 'velocity', isTarget: true },
      { at: [2], name: 'gradient' },
    ],
  ),
  example('tensor', () => [[1, 2], { ...createOptions(), shape: [2, 1] }], [
    { at: [0], name: 'data' },
  ]),
  example('full', () => [[2], 3, createOptions()], []),
  example('zeros', () => [[2], createOptions()], []),
  example('ones', () => [[2], createOptions()], []),
  example('arange', () => [0, 4, 2, createOptions()], []),
  example('rand', () => [[2], { ...createOptions(), generator: generator() }], []),
  example('randn', () => [[2], { ...createOptions(), generator: generator() }], []),
];

/** The same arguments with another value at a path. */
export function withArgument(
  args: readonly unknown[],
  path: readonly (string | number)[],
  value: unknown,
): unknown[] {
  const replace = (node: unknown, [key, ...rest]: readonly (string | number)[]): unknown => {
    if (key === undefined) return value;
    const copy: Exports = Array.isArray(node)
      ? ([...node] as unknown as Exports)
      : { ...(node as Exports) };
    copy[key] = replace(copy[key], rest);
    return copy;
  };
  return replace(args, path) as unknown[];
}

/** The value at a path. */
export function argumentAt(args: readonly unknown[], path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((node, key) => (node as Exports)[key], args);
}

/** Calls with any arguments, which types would forbid. */
export function invoke({ run }: ExampleCall, args: readonly unknown[]): unknown {
  return run(...(args as never[]));
}
