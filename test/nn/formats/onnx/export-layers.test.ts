import * as nn from '@firelight/nn';
import type { ExportOnnxOptions } from '@firelight/nn/formats';
import { Generator, type Shape } from '@firelight/tensor';
import { expect, test } from 'vitest';
import { expectRoundTrip, stir } from '../../../helpers/onnx-round-trip.ts';

const generator = new Generator(2);
const g = { generator };

type Layer = readonly [nn.Module, Shape, Omit<ExportOnnxOptions, 'inputShape'>?];

const IMAGE = [1, 4, 7, 9];
const SEQUENCE = [1, 4, 11];
const TOKENS = [1, 5, 12];
const ROW = [1, 6];
const channels = { inChannels: 4, outChannels: 6, ...g };

/** By class, in the forms that are written differently. */
const LAYERS: Readonly<Record<string, readonly Layer[]>> = {
  AdaptiveAvgPool1d: [[new nn.AdaptiveAvgPool1d(3), SEQUENCE]],
  AdaptiveAvgPool2d: [
    [new nn.AdaptiveAvgPool2d([3, 4]), IMAGE],
    [new nn.AdaptiveAvgPool2d([7, 3]), IMAGE],
  ],
  AdaptiveMaxPool1d: [[new nn.AdaptiveMaxPool1d(3), SEQUENCE]],
  AdaptiveMaxPool2d: [[new nn.AdaptiveMaxPool2d([3, 4]), IMAGE]],
  AvgPool1d: [[new nn.AvgPool1d({ kernelSize: 3, padding: 1 }), SEQUENCE]],
  AvgPool2d: [
    [new nn.AvgPool2d({ kernelSize: 3, stride: 2, padding: 1 }), IMAGE],
    [new nn.AvgPool2d({ kernelSize: 2, padding: 1, countIncludePad: false }), IMAGE],
    [new nn.AvgPool2d({ kernelSize: [2, 3], stride: 2, ceilMode: true }), IMAGE],
  ],
  BatchNorm2d: [
    [new nn.BatchNorm2d({ numFeatures: 4, epsilon: 1e-3 }), IMAGE],
    [new nn.BatchNorm2d({ numFeatures: 4, affine: false }), IMAGE],
  ],
  CELU: [[new nn.CELU({ alpha: 0.7 }), ROW]],
  Conv1d: [[new nn.Conv1d({ ...channels, kernelSize: 3, stride: 2, padding: [1, 2] }), SEQUENCE]],
  Conv2d: [
    [new nn.Conv2d({ ...channels, kernelSize: [3, 2], padding: 'same', stride: 2 }), IMAGE],
    [new nn.Conv2d({ ...channels, kernelSize: 3, padding: [0, 1, 2, 3], dilation: 2 }), IMAGE],
    [new nn.Conv2d({ ...channels, kernelSize: 3, groups: 2, bias: false }), IMAGE],
    [new nn.Conv2d({ ...channels, kernelSize: 1, activation: 'relu' }), IMAGE],
  ],
  ConvTranspose1d: [
    [new nn.ConvTranspose1d({ ...channels, kernelSize: 3, stride: 2, padding: 1 }), SEQUENCE],
  ],
  ConvTranspose2d: [
    [
      new nn.ConvTranspose2d({
        ...channels,
        kernelSize: [3, 2],
        stride: [2, 3],
        padding: [1, 0],
        outputPadding: [1, 2],
        groups: 2,
      }),
      IMAGE,
    ],
  ],
  DepthwiseSeparableConv2d: [
    [new nn.DepthwiseSeparableConv2d({ ...channels, kernelSize: 3, padding: 1 }), IMAGE],
  ],
  Dropout: [[new nn.Dropout(), IMAGE]],
  ELU: [[new nn.ELU({ alpha: 0.7 }), ROW]],
  Embedding: [
    [
      new nn.Embedding({ numEmbeddings: 5, embeddingDim: 3, ...g }),
      [1, 4],
      { inputDType: 'int32' },
    ],
  ],
  Fire: [
    [
      new nn.Fire({
        inChannels: 4,
        squeezeChannels: 2,
        expand1x1Channels: 3,
        expand3x3Channels: 1,
        bypass: 'identity',
        ...g,
      }),
      IMAGE,
    ],
  ],
  Flatten: [[new nn.Flatten(), IMAGE]],
  GELU: [
    [new nn.GELU(), ROW],
    [new nn.GELU({ approximate: 'tanh' }), ROW],
  ],
  GlobalAvgPool2d: [[new nn.GlobalAvgPool2d(), IMAGE]],
  GlobalMaxPool2d: [[new nn.GlobalMaxPool2d(), IMAGE]],
  GroupNorm: [[new nn.GroupNorm({ numGroups: 2, numChannels: 4 }), IMAGE]],
  HardShrink: [[new nn.HardShrink(), ROW]],
  HardSigmoid: [[new nn.HardSigmoid(), ROW]],
  HardSwish: [[new nn.HardSwish(), ROW]],
  Identity: [[new nn.Identity(), ROW]],
  InstanceNorm2d: [[new nn.InstanceNorm2d({ numFeatures: 4 }), IMAGE]],
  LayerNorm: [
    [new nn.LayerNorm({ normalizedShape: 12 }), TOKENS],
    [new nn.LayerNorm({ normalizedShape: [5, 12], bias: false }), TOKENS],
  ],
  LeakyReLU: [[new nn.LeakyReLU({ negativeSlope: 0.2 }), ROW]],
  Linear: [
    [new nn.Linear({ inFeatures: 6, outFeatures: 3, ...g }), ROW],
    [new nn.Linear({ inFeatures: 12, outFeatures: 3, bias: false, ...g }), TOKENS],
  ],
  LogSoftmax: [[new nn.LogSoftmax(), ROW]],
  MaxPool1d: [[new nn.MaxPool1d({ kernelSize: 3, stride: 2 }), SEQUENCE]],
  MaxPool2d: [
    [new nn.MaxPool2d({ kernelSize: 3, stride: 2, padding: 1, dilation: [1, 2] }), IMAGE],
    [new nn.MaxPool2d({ kernelSize: 2, ceilMode: true }), IMAGE],
  ],
  Mish: [[new nn.Mish(), ROW]],
  MultiHeadAttention: [
    [new nn.MultiHeadAttention({ embedDim: 12, numHeads: 3, ...g }), TOKENS],
    [new nn.MultiHeadAttention({ embedDim: 12, numHeads: 2, bias: false, ...g }), TOKENS],
  ],
  PReLU: [[new nn.PReLU({ numParameters: 4 }), IMAGE]],
  RMSNorm: [[new nn.RMSNorm({ normalizedShape: 12 }), TOKENS]],
  ReLU: [[new nn.ReLU(), ROW]],
  ReLU6: [[new nn.ReLU6(), ROW]],
  SELU: [[new nn.SELU(), ROW]],
  Sequential: [
    [new nn.Sequential([new nn.Conv2d({ ...channels, kernelSize: 3 }), new nn.ReLU()]), IMAGE],
  ],
  SiLU: [[new nn.SiLU(), ROW]],
  Sigmoid: [[new nn.Sigmoid(), ROW]],
  SoftShrink: [[new nn.SoftShrink(), ROW]],
  Softmax: [[new nn.Softmax({ axis: 1 }), IMAGE]],
  Softplus: [[new nn.Softplus(), ROW]],
  Softsign: [[new nn.Softsign(), ROW]],
  Tanh: [[new nn.Tanh(), ROW]],
  TransformerEncoderLayer: [
    [
      new nn.TransformerEncoderLayer({ embedDim: 12, numHeads: 3, feedForwardDim: 8, ...g }),
      TOKENS,
    ],
  ],
  Upsample: [
    [new nn.Upsample({ scale: 2 }), IMAGE],
    [new nn.Upsample({ size: [10, 13], mode: 'linear' }), IMAGE],
  ],
};

const cases = Object.entries(LAYERS).flatMap(([name, layers]) =>
  layers.map((layer, i) => [`${name} ${i + 1}`, layer] as const),
);

test.each(cases)('%s', async (_, [layer, inputShape, options]) => {
  stir(layer);
  await expectRoundTrip(layer, { inputShape, ...options });
});

test('all layers of one input are among these, and networks are elsewhere', () => {
  const classes = Object.entries(nn).flatMap(([name, value]) =>
    typeof value === 'function' && value.prototype instanceof nn.Module ? [name] : [],
  );
  const others = [
    'AirbenchNet',
    'LeNet5',
    'MaxUnpool2d',
    'MobileNetV2',
    'ModuleList',
    'ResNet',
    'SqueezeNet',
  ];
  expect(new Set(classes)).toEqual(
    new Set([...Object.keys(LAYERS), ...others, 'VGG', 'VisionTransformer']),
  );
});
