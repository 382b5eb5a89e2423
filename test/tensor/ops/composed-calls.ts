import { tensor } from '@firelight/tensor';
import { type ExampleCall, example, numbers, type TensorArgument, x } from './example-call.ts';

const poolOptions = () => ({
  kernelSize: 2,
  stride: 1,
  padding: 'valid',
  dilation: 1,
  ceilMode: false,
});
const rows = () => tensor([[1], [-1]], { dtype: 'int32' });
const tokens = () => tensor([2, 0], { dtype: 'int32' });
const indices: TensorArgument = { at: [1], name: 'indices' };
const image = () => numbers([1, 4, 2, 2]);

/** A call of the operations on shapes, places and whole axes, which are mostly made of others. */
export const COMPOSED_CALLS: readonly ExampleCall[] = [
  example('squeeze', () => [numbers([2, 1]), [1]], [x]),
  example('unsqueeze', () => [numbers([2]), -1], [x]),
  example('flatten', () => [numbers([2, 3]), { startAxis: 0, endAxis: 1 }], [x]),
  example('moveAxis', () => [numbers([2, 3]), 0, 1], [x]),
  example('split', () => [numbers([4]), [1, 3], 0], [x]),
  example('chunk', () => [numbers([4]), 2, 0], [x]),
  example('unstack', () => [numbers([2, 3]), 1], [x]),
  example('bincount', () => [tokens(), { minLength: 4 }], [x]),
  example('logSigmoid', () => [numbers([2, 3])], [x]),
  ...(['zerosLike', 'onesLike'] as const).map((name) =>
    example(name, () => [numbers([2, 3]), { dtype: 'float64', requiresGrad: true }], [x]),
  ),
  example('fullLike', () => [numbers([2]), 3, { dtype: 'float64', requiresGrad: true }], [x]),
  example('lpPool2d', () => [numbers([1, 2, 3, 3]), { ...poolOptions(), ord: 3 }], [x]),
  example('tile', () => [numbers([2]), [2, 2]], [x]),
  example('repeat', () => [numbers([2]), 2, 0], [x]),
  example('flip', () => [numbers([2, 3]), [1]], [x]),
  example('roll', () => [numbers([2, 3]), [1], [1]], [x]),
  example('tril', () => [numbers([2, 3]), 1], [x]),
  example('triu', () => [numbers([2, 3]), 1], [x]),
  example('linspace', () => [0, 1, 3, { dtype: 'float64', requiresGrad: true }], []),
  example('eye', () => [2, { columns: 3, diagonal: 1, dtype: 'float64' }], []),
  example('takeAlongAxis', () => [numbers([2, 3]), rows(), 1], [x, indices]),
  ...(['scatter', 'scatterAdd'] as const).map((name) =>
    example(name, () => [numbers([2, 3]), rows(), numbers([2, 1], 2), 1], [
      x,
      indices,
      { at: [2], name: 'source' },
    ]),
  ),
  example('gatherNd', () => [numbers([2, 3]), rows(), { batchAxes: 0 }], [x, indices]),
  example('scatterNd', () => [numbers([2, 3]), rows(), numbers([2, 3], 2), { reduction: 'max' }], [
    x,
    indices,
    { at: [2], name: 'updates' },
  ]),
  example('compress', () => [numbers([2]), tensor([true, false]), 0], [
    x,
    { at: [1], name: 'condition' },
  ]),
  example('nonZero', () => [numbers([2])], [x]),
  example('diagonal', () => [numbers([2, 2]), { offset: 0, axis1: 0, axis2: 1 }], [x]),
  example('einsum', () => ['ij,j->i', numbers([2, 3]), numbers([3], 2)], [
    { at: [1], name: 'tensors[0]' },
    { at: [2], name: 'tensors[1]' },
  ]),
  example('depthToSpace', () => [image(), 2, { mode: 'DCR' }], [x]),
  example('spaceToDepth', () => [image(), 2, { mode: 'DCR' }], [x]),
  ...(['prod', 'logSumExp', 'any', 'all', 'countNonZero'] as const).map((name) =>
    example(name, () => [numbers([2, 3]), [-1], { keepDims: true }], [x]),
  ),
  ...(['variance', 'std'] as const).map((name) =>
    example(name, () => [numbers([2, 3]), [-1], { keepDims: true, correction: 0 }], [x]),
  ),
  example('norm', () => [numbers([2, 3]), { ord: 1, axis: [-1], keepDims: true }], [x]),
  example('normalize', () => [numbers([2, 3]), { ord: 1, axis: [0], epsilon: 0.1 }], [x]),
  example('localResponseNorm', () => [numbers([2, 5, 3]), 3, { alpha: 2, beta: 0.5, k: 3 }], [x]),
  ...(['cumsum', 'cumprod'] as const).map((name) =>
    example(name, () => [numbers([2, 3]), 1, { exclusive: true, reverse: true }], [x]),
  ),
  ...(['sort', 'argsort'] as const).map((name) =>
    example(name, () => [numbers([2, 3]), 1, { descending: true }], [x]),
  ),
  ...(['layerNorm', 'groupNorm', 'instanceNorm'] as const).map((name) =>
    example(
      name,
      () => [
        name === 'layerNorm' ? numbers([3, 2]) : numbers([2, 2, 3]),
        ...(name === 'groupNorm' ? [2] : []),
        numbers([2], 2),
        numbers([2], 3),
        { epsilon: 1e-3 },
      ],
      [
        x,
        { at: [name === 'groupNorm' ? 2 : 1], name: 'weight', isOptional: true },
        { at: [name === 'groupNorm' ? 3 : 2], name: 'bias', isOptional: true },
      ],
    ),
  ),
  example('rmsNorm', () => [numbers([3, 2]), numbers([2], 2), { axis: 1, epsilon: 1e-3 }], [
    x,
    { at: [1], name: 'weight', isOptional: true },
  ]),
  example(
    'negativeLogLikelihood',
    () => [
      numbers([2, 3]),
      tokens(),
      { weight: numbers([3], 2), ignoreIndex: 0, reduction: 'mean' },
    ],
    [
      { at: [0], name: 'logProbabilities' },
      { at: [1], name: 'labels' },
    ],
  ),
  example('embedding', () => [tokens(), numbers([3, 2]), { paddingIndex: 0 }], [
    { at: [0], name: 'indices' },
    { at: [1], name: 'weight' },
  ]),
  example(
    'scaledDotProductAttention',
    () => [
      numbers([2, 3]),
      numbers([4, 3], 2),
      numbers([4, 2], 3),
      { mask: numbers([2, 4], 4), isCausal: true, scale: 0.5 },
    ],
    [
      { at: [0], name: 'query' },
      { at: [1], name: 'key' },
      { at: [2], name: 'value' },
      { at: [3, 'mask'], name: 'mask', isOptional: true },
    ],
  ),
  example('adaptiveAvgPool1d', () => [numbers([1, 2, 3]), 2], [x]),
  example('adaptiveMaxPool1d', () => [numbers([1, 2, 3]), 1], [x]),
  example(
    'convTranspose1d',
    () => [
      numbers([1, 2, 4]),
      numbers([2, 2, 3], 2),
      numbers([2], 3),
      { stride: 2, padding: 1, outputPadding: 1, dilation: 1, groups: 1 },
    ],
    [x, { at: [1], name: 'weight' }, { at: [2], name: 'bias', isOptional: true }],
  ),
  example(
    'interpolate',
    () => [
      image(),
      {
        size: [3, 4],
        scale: [1.5, 2],
        mode: 'cubic',
        coordinates: 'crop-and-resize',
        nearestRounding: 'floor',
        cubicCoefficient: -0.5,
        antialias: true,
        excludeOutside: false,
        region: [
          [0, 1],
          [0.5, 1.5],
        ],
        extrapolationValue: 2,
        axes: [2, 3],
      },
    ],
    [x],
  ),
  example('globalAvgPool1d', () => [numbers([1, 2, 3])], [x]),
  example('globalMaxPool1d', () => [numbers([1, 2, 3])], [x]),
  example('maxPool1d', () => [numbers([1, 2, 3]), poolOptions()], [x]),
  example('avgPool1d', () => [numbers([1, 2, 3]), { ...poolOptions(), countIncludePad: true }], [
    x,
  ]),
  example(
    'conv1d',
    () => [
      numbers([1, 2, 4]),
      numbers([2, 2, 3], 2),
      numbers([2], 3),
      { stride: 1, padding: [1, 0], dilation: 1, groups: 1 },
    ],
    [x, { at: [1], name: 'weight' }, { at: [2], name: 'bias', isOptional: true }],
  ),
  example('topK', () => [numbers([2, 3]), 2, { axis: 1, largest: false }], [x]),
];
