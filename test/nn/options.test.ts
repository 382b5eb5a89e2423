import * as nn from '@firelight/nn';
import { ValueError } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';

type Options = Readonly<Record<string, unknown>>;
type Layer = new (options: Options) => nn.Module;

/** Valid options of every layer and network that takes any, small ones. */
const VALID: Readonly<Record<string, Options>> = {
  AirbenchNet: { widths: [1] },
  AvgPool1d: { kernelSize: 2 },
  AvgPool2d: { kernelSize: 2 },
  BatchNorm2d: { numFeatures: 2 },
  CELU: {},
  Conv1d: { inChannels: 2, outChannels: 2, kernelSize: 1 },
  Conv2d: { inChannels: 2, outChannels: 2, kernelSize: 1 },
  ConvTranspose1d: { inChannels: 2, outChannels: 2, kernelSize: 1 },
  ConvTranspose2d: { inChannels: 2, outChannels: 2, kernelSize: 1 },
  DepthwiseSeparableConv2d: { inChannels: 2, outChannels: 2, kernelSize: 1 },
  Dropout: { p: 0.1 },
  ELU: {},
  Embedding: { numEmbeddings: 2, embeddingDim: 2 },
  Fire: { inChannels: 2, squeezeChannels: 1, expand1x1Channels: 1, expand3x3Channels: 1 },
  GELU: {},
  HardShrink: {},
  HardSigmoid: {},
  GroupNorm: { numGroups: 1, numChannels: 2 },
  InstanceNorm2d: { numFeatures: 2 },
  LayerNorm: { normalizedShape: 2 },
  LeNet5: {},
  LeakyReLU: {},
  Linear: { inFeatures: 2, outFeatures: 2 },
  LogSoftmax: {},
  MaxPool1d: { kernelSize: 2 },
  MaxPool2d: { kernelSize: 2 },
  MaxUnpool2d: { kernelSize: 2 },
  MobileNetV2: { widthMultiplier: 0.1 },
  MultiHeadAttention: { embedDim: 2, numHeads: 1 },
  PReLU: {},
  RMSNorm: { normalizedShape: 2 },
  ResNet: { depth: 20, width: 1 },
  SELU: {},
  SoftShrink: {},
  Softmax: {},
  SqueezeNet: { numClasses: 2 },
  TransformerEncoderLayer: { embedDim: 2, numHeads: 1, feedForwardDim: 2 },
  Upsample: { scale: 2 },
  VGG: { depth: 11, width: 1, hiddenFeatures: 1 },
  VisionTransformer: { variant: 'cifar', hiddenDim: 12, numLayers: 1 },
};

/** Modules that take something else than options, or nothing. */
const WITHOUT_OPTIONS = [
  'AdaptiveAvgPool1d',
  'AdaptiveAvgPool2d',
  'AdaptiveMaxPool1d',
  'AdaptiveMaxPool2d',
  'Flatten',
  'GlobalAvgPool2d',
  'GlobalMaxPool2d',
  'HardSwish',
  'Identity',
  'Mish',
  'Module',
  'ModuleList',
  'ReLU',
  'ReLU6',
  'Sequential',
  'SiLU',
  'Sigmoid',
  'Softplus',
  'Softsign',
  'Tanh',
];

const layerOf = (name: string): Layer => (nn as unknown as Record<string, Layer>)[name];

test('every layer and network is here', () => {
  const modules = Object.entries(nn as Readonly<Record<string, unknown>>)
    .filter(
      ([, value]) =>
        typeof value === 'function' &&
        (value === nn.Module || value.prototype instanceof nn.Module),
    )
    .map(([name]) => name)
    // A loss has options of its own kind, which its tests cover.
    .filter((name) => !/Loss$|WithLogits$/.test(name));
  expect(modules.sort()).toEqual([...Object.keys(VALID), ...WITHOUT_OPTIONS].sort());
});

describe('an option that there is not is refused', () => {
  test.each(Object.entries(VALID))('by %s', (name, options) => {
    const Layer = layerOf(name);
    const make = (more: object): nn.Module => {
      return new Layer({ ...options, ...more });
    };
    expect(make({}).namedModules().length).toBeGreaterThan(0);
    expect(() => make({ dim: 1 })).toThrow(ValueError);
    expect(() => make({ dim: 1 })).toThrow(/: there is no option 'dim'; there is \w+/);
  });

  test.each(Object.keys(VALID))('what is no object by %s', (name) => {
    const act = () => new (layerOf(name))(0.5 as never);
    expect(act).toThrow(ValueError);
    expect(act).toThrow(`${name}: options must be an object with any of `);
  });

  test.each([
    ['Conv2d', 'strides', 'stride'],
    ['Conv2d', 'kernel_size', 'kernelSize'],
    ['MaxPool2d', 'ceil_mode', 'ceilMode'],
    ['BatchNorm2d', 'eps', 'epsilon'],
    ['LeakyReLU', 'negative_slope', 'negativeSlope'],
    ['ResNet', 'classes', null],
  ])('by %s with what was meant by %s', (name, wrong, meant) => {
    const act = () => new (layerOf(name))({ ...VALID[name], [wrong]: 1 });
    const hint = meant === null ? '' : ` (did you mean '${meant}'?)`;
    expect(act).toThrow(`${name}: there is no option '${wrong}'${hint}; there is `);
  });
});

const SHARE = /must be in \[0, 1\], got/;
const BELOW_ONE = /must be in \[0, 1\), got/;
const NOT_NEGATIVE = /must be a number ≥ 0, got/;
const BOOLEAN = /must be true or false, got 'no'/;

test.each<[layer: string, wrong: Options, message: RegExp]>([
  ['Dropout', { p: null }, BELOW_ONE],
  ['Dropout', { p: '0.2' }, BELOW_ONE],
  ['MultiHeadAttention', { dropout: '0.2' }, BELOW_ONE],
  ['TransformerEncoderLayer', { dropout: null }, BELOW_ONE],
  ['VGG', { dropout: null }, BELOW_ONE],
  ['MobileNetV2', { dropout: 1 }, BELOW_ONE],
  ['SqueezeNet', { dropout: '0' }, BELOW_ONE],
  ['BatchNorm2d', { momentum: 2 }, SHARE],
  ['BatchNorm2d', { epsilon: -1 }, NOT_NEGATIVE],
  ['LayerNorm', { epsilon: Number.NaN }, NOT_NEGATIVE],
  ['RMSNorm', { epsilon: null }, NOT_NEGATIVE],
  ['GroupNorm', { epsilon: '1' }, NOT_NEGATIVE],
  ['InstanceNorm2d', { epsilon: -1 }, NOT_NEGATIVE],
  ['TransformerEncoderLayer', { epsilon: -1 }, NOT_NEGATIVE],
  ['LayerNorm', { normalizedShape: [] }, /normalizedShape must be a length, or a list of at least/],
  ['LayerNorm', { bias: 'no' }, BOOLEAN],
  ['Linear', { bias: 'no' }, BOOLEAN],
  ['Conv2d', { bias: 'no' }, BOOLEAN],
  ['ConvTranspose2d', { bias: 'no' }, BOOLEAN],
  ['MultiHeadAttention', { bias: 'no' }, BOOLEAN],
  ['InstanceNorm2d', { affine: 'no' }, BOOLEAN],
  ['GroupNorm', { affine: 'no' }, BOOLEAN],
  ['LayerNorm', { affine: 'no' }, BOOLEAN],
  ['RMSNorm', { affine: 'no' }, BOOLEAN],
  ['BatchNorm2d', { affine: 'no' }, BOOLEAN],
  ['TransformerEncoderLayer', { normFirst: 'no' }, BOOLEAN],
  ['Fire', { batchNorm: 'no' }, BOOLEAN],
  ['SqueezeNet', { batchNorm: 'no' }, BOOLEAN],
  ['SqueezeNet', { headRelu: 'no' }, BOOLEAN],
  ['Fire', { bypass: 'simple' }, /bypass must be 'none', 'identity' or 'conv', got 'simple'/],
  ['TransformerEncoderLayer', { activation: ['relu'] }, /activation must be relu or gelu, got/],
  ['TransformerEncoderLayer', { feedForwardDim: 0 }, /feedForwardDim must be an integer ≥ 1/],
  ['Conv2d', { kernelSize: 0 }, /^Conv2d: kernelSize must be integers ≥ 1, got \[0, 0\]/],
  ['Conv2d', { kernelSize: '3' }, /^Conv2d: kernelSize must be a number or \[h, w\], got '3'/],
  ['Conv2d', { stride: 0 }, /^Conv2d: stride must be integers ≥ 1, got \[0, 0\]/],
  ['Conv2d', { dilation: [1, 1.5] }, /^Conv2d: dilation must be integers ≥ 1, got \[1, 1.5\]/],
  ['Conv2d', { padding: 'full' }, /^Conv2d: padding must be a number, .* got 'full'/],
  ['Conv1d', { stride: null }, /^Conv1d: stride must be an integer ≥ 1, got null/],
  ['Conv1d', { padding: -1 }, /^Conv1d: padding must be a list of integers ≥ 0, got \[-1, -1\]/],
  ['DepthwiseSeparableConv2d', { stride: 0 }, /^DepthwiseSeparableConv2d: stride must be integers/],
  ['DepthwiseSeparableConv2d', { outChannels: 0 }, /^DepthwiseSeparableConv2d: outChannels must/],
  ['ConvTranspose2d', { kernelSize: [1] }, /^ConvTranspose2d: kernelSize must be a number or/],
  [
    'ConvTranspose2d',
    { padding: -1 },
    /^ConvTranspose2d: padding must be integers ≥ 0, got \[-1, -1\]/,
  ],
  ['ConvTranspose2d', { outputPadding: 1 }, /outputPadding must be smaller than stride or dil/],
  ['ConvTranspose1d', { outputPadding: 1 }, /^ConvTranspose1d: outputPadding must be smaller/],
  ['ConvTranspose1d', { dilation: 0 }, /^ConvTranspose1d: dilation must be an integer ≥ 1, got 0/],
  ['MaxPool2d', { kernelSize: 0 }, /^MaxPool2d: kernelSize must be integers ≥ 1, got \[0, 0\]/],
  [
    'MaxPool2d',
    { padding: 2 },
    /^MaxPool2d: padding \[2, 2, 2, 2\] must be smaller than the kernel/,
  ],
  ['AvgPool2d', { countIncludePad: 1 }, /^AvgPool2d: countIncludePad must be true or false, got 1/],
  ['MaxUnpool2d', { outputSize: 0 }, /^MaxUnpool2d: outputSize must be integers ≥ 1/],
  ['MaxPool1d', { stride: 0 }, /^MaxPool1d: stride must be an integer ≥ 1, got 0/],
  ['AvgPool1d', { ceilMode: 'no' }, /^AvgPool1d: ceilMode must be true or false, got 'no'/],
  ['Upsample', { mode: 'bilinear' }, /^Upsample: mode must be one of 'nearest', .* got 'bilinear'/],
  [
    'LeakyReLU',
    { negativeSlope: '1' },
    /^LeakyReLU: negativeSlope must be a finite number, got '1'/,
  ],
  ['ELU', { alpha: Number.NaN }, /^ELU: alpha must be a finite number, got NaN/],
  ['CELU', { alpha: 0 }, /^CELU: alpha must be a finite number other than 0, got 0/],
  ['GELU', { approximate: 'erf' }, /^GELU: approximate must be 'none' or 'tanh', got 'erf'/],
  ['Softmax', { axis: 0.5 }, /^Softmax: axis must be an integer, got 0.5/],
  ['Conv2d', { groups: '2' }, /groups must be an integer ≥ 1, got '2'/],
  ['ConvTranspose2d', { groups: 0 }, /groups must be an integer ≥ 1, got 0/],
  ['PReLU', { init: 'x' }, /init must be a finite number, got 'x'/],
  ['VGG', { depth: '11' }, /depth must be one of 11, 13, 16, 19, got '11'/],
  ['ResNet', { depth: '20' }, /depth must be one of 18, .*, got '20'/],
  ['ResNet', { inChannels: '3' }, /inChannels must be an integer ≥ 1, got '3'/],
  ['VGG', { inChannels: 0 }, /inChannels must be an integer ≥ 1, got 0/],
  ['MobileNetV2', { inChannels: 0 }, /inChannels must be an integer ≥ 1, got 0/],
  ['LeNet5', { inChannels: 0 }, /inChannels must be an integer ≥ 1, got 0/],
  ['SqueezeNet', { inChannels: 0 }, /inChannels must be an integer ≥ 1, got 0/],
])('%s refuses %j', (name, wrong, message) => {
  const act = () => new (layerOf(name))({ ...VALID[name], ...wrong });
  expect(act).toThrow(ValueError);
  expect(act).toThrow(message);
});

test.each(['AdaptiveAvgPool2d', 'AdaptiveMaxPool2d', 'AdaptiveAvgPool1d', 'AdaptiveMaxPool1d'])(
  '%s refuses sizes below 1',
  (name) => {
    const act = () => new (layerOf(name))(0 as never);
    expect(act).toThrow(ValueError);
    expect(act).toThrow(new RegExp(`^${name}: outputSize must be (an integer|integers) ≥ 1, got `));
  },
);

describe('what is no generator is refused', () => {
  test.each(['Linear', 'Dropout', 'ResNet', 'MultiHeadAttention'])('by %s', (name) => {
    for (const generator of [null, 3]) {
      const act = () => new (layerOf(name))({ ...VALID[name], generator });
      expect(act).toThrow(ValueError);
      expect(act).toThrow(/: generator must be a Generator, got (null|3)$/);
    }
  });
});
