import { readFileSync } from 'node:fs';
import {
  AirbenchNet,
  CheckpointError,
  Conv2d,
  LeNet5,
  MobileNetV2,
  type Module,
  ResNet,
  Sequential,
  SqueezeNet,
  type StateDict,
  VGG,
  VisionTransformer,
} from '@firelight/nn';
import { exportNames, identifyNetwork, mapNames, type OriginName } from '@firelight/nn/formats';
import { Generator, ones, tensor } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { sharedPath } from '../../helpers/shared.ts';

const small = { baseExpand: 16, expandIncrement: 8 };
const generator = new Generator(1);
const transformer = { numHeads: 1, hiddenDim: 2, mlpDim: 2, imageSize: 4, patchSize: 2 };

/** Networks, as small as may be, and who has names for them. */
const NETWORKS: readonly [create: () => Module, origins: OriginName[]][] = [
  [
    () => new SqueezeNet({ metaparameters: small, generator }),
    ['torchvision', 'mindspore', 'mindcv', 'caffe', 'gluon', 'firelight'],
  ],
  [
    () => new SqueezeNet({ version: '1.1', metaparameters: small, generator }),
    ['torchvision', 'mindspore', 'mindcv', 'caffe', 'gluon', 'firelight'],
  ],
  [
    () => new ResNet({ width: 2, generator }),
    ['torchvision', 'mindspore', 'mindcv', 'pytorch', 'firelight'],
  ],
  [
    () => new ResNet({ depth: 50, width: 1, generator }),
    ['torchvision', 'mindspore', 'mindcv', 'pytorch', 'firelight'],
  ],
  [() => new ResNet({ depth: 20, width: 1, generator }), ['pytorch', 'firelight']],
  [
    () => new MobileNetV2({ widthMultiplier: 0.05, numClasses: 2, generator }),
    ['torchvision', 'mindspore', 'firelight'],
  ],
  [
    () =>
      new VGG({ depth: 11, batchNorm: true, width: 1, hiddenFeatures: 2, poolSize: 1, generator }),
    ['torchvision', 'mindspore', 'firelight'],
  ],
  [
    () => new VGG({ depth: 19, width: 1, hiddenFeatures: 2, poolSize: 1, generator }),
    ['torchvision', 'mindspore', 'caffe', 'firelight'],
  ],
  [() => new LeNet5({ generator }), ['pytorch', 'mindspore', 'firelight']],
  [
    () => new VisionTransformer({ numLayers: 2, ...transformer, generator }),
    ['torchvision', 'timm', 'firelight'],
  ],
  [() => new AirbenchNet({ widths: [1, 1, 1], generator }), ['pytorch', 'mindspore', 'firelight']],
  [
    () => new Sequential([new Conv2d({ inChannels: 1, outChannels: 2, kernelSize: 1 })]),
    ['pytorch', 'mindspore', 'firelight'],
  ],
];

const cases = NETWORKS.flatMap(([create, origins]) =>
  origins.map((origin) => [create().constructor.name, origin, create] as const),
);

describe('names in both directions', () => {
  test.each(cases)('%s as %s has it', (_, origin, create) => {
    const network = create();
    const own = network.stateDict();
    const exported = exportNames(network, origin);
    expect(Object.keys(exported)).toHaveLength(Object.keys(own).length);
    const {
      state,
      missing,
      unused,
      notes,
      origin: found,
    } = mapNames(network, exported, { origin });
    expect([missing, unused, found.name]).toEqual([[], [], origin]);
    expect(notes.every((note) => note.startsWith('mind'))).toBe(true);
    expect(Object.keys(state).sort()).toEqual(Object.keys(own).sort());
    for (const name of Object.keys(own)) expect(state[name].array, name).toBe(own[name].array);
  });

  /** Names as the programs write them, each of a tensor of ours. */
  const literal: readonly [create: () => Module, OriginName, Readonly<Record<string, string>>][] = [
    [
      () => new SqueezeNet({ version: '1.1', metaparameters: small, generator }),
      'caffe',
      {
        'features.0.weight': 'conv1.weight',
        'features.3.squeeze.weight': 'fire2/squeeze1x1.weight',
        'features.6.expand1x1.bias': 'fire4/expand1x1.bias',
        'features.12.expand3x3.weight': 'fire9/expand3x3.weight',
        'final_conv.bias': 'conv10.bias',
      },
    ],
    [
      () => new SqueezeNet({ version: '1.1', metaparameters: small, generator }),
      'gluon',
      {
        'features.0.weight': 'squeezenet0_conv0_weight',
        'features.3.expand3x3.bias': 'squeezenet0_conv3_bias',
        'final_conv.bias': 'squeezenet0_conv25_bias',
      },
    ],
    [
      () => new SqueezeNet({ metaparameters: small, generator }),
      'torchvision',
      {
        'features.3.squeeze.weight': 'features.3.squeeze.weight',
        'final_conv.bias': 'classifier.1.bias',
      },
    ],
    [
      () => new ResNet({ width: 2, generator }),
      'mindspore',
      {
        'bn1.weight': 'bn1.gamma',
        'layer1.0.bn2.running_mean': 'layer1.0.bn2d.moving_mean',
        'layer2.0.downsample.0.weight': 'layer2.0.down_sample_layer.0.weight',
        'layer2.0.downsample.1.running_var': 'layer2.0.down_sample_layer.1.moving_variance',
        'fc.bias': 'end_point.bias',
      },
    ],
    [
      () => new ResNet({ depth: 50, width: 1, generator }),
      'mindspore',
      { 'layer1.0.bn3.weight': 'layer1.0.bn3.gamma', 'layer1.1.bn1.bias': 'layer1.1.bn1.beta' },
    ],
    [
      () => new VGG({ depth: 16, width: 1, hiddenFeatures: 2, poolSize: 1, generator }),
      'caffe',
      {
        'features.0.weight': 'conv1_1.weight',
        'features.7.bias': 'conv2_2.bias',
        'features.10.weight': 'conv3_1.weight',
        'features.19.weight': 'conv4_2.weight',
        'features.28.bias': 'conv5_3.bias',
        'classifier.0.weight': 'fc6.weight',
        'classifier.6.bias': 'fc8.bias',
      },
    ],
    [
      () => new ResNet({ width: 2, generator }),
      'pytorch',
      { 'layer2.0.downsample.0.weight': 'layer2.0.shortcut.0.weight', 'fc.bias': 'linear.bias' },
    ],
    [
      () => new MobileNetV2({ widthMultiplier: 0.05, numClasses: 2, generator }),
      'mindspore',
      {
        'features.0.0.weight': 'features.0.features.0.weight',
        'features.1.conv.0.1.bias': 'features.1.conv.0.features.1.beta',
        'features.1.conv.1.weight': 'features.1.conv.1.weight',
        'features.1.conv.2.running_var': 'features.1.conv.2.moving_variance',
        'features.18.1.weight': 'features.18.features.1.gamma',
        'classifier.1.weight': 'dense.weight',
      },
    ],
    [
      () => new VisionTransformer({ numLayers: 2, ...transformer, generator }),
      'timm',
      {
        class_token: 'cls_token',
        'encoder.pos_embedding': 'pos_embed',
        'conv_proj.bias': 'patch_embed.proj.bias',
        'encoder.layers.encoder_layer_1.ln_2.weight': 'blocks.1.norm2.weight',
        'encoder.layers.encoder_layer_0.self_attention.in_proj_weight': 'blocks.0.attn.qkv.weight',
        'encoder.layers.encoder_layer_0.self_attention.out_proj.bias': 'blocks.0.attn.proj.bias',
        'encoder.layers.encoder_layer_0.mlp.3.weight': 'blocks.0.mlp.fc2.weight',
        'encoder.ln.bias': 'norm.bias',
        'heads.head.weight': 'head.weight',
      },
    ],
  ];
  test.each(literal)('are those that are written there (%#, %s)', (create, origin, names) => {
    const network = create();
    const exported = exportNames(network, origin);
    const own = network.stateDict();
    for (const [ours, theirs] of Object.entries(names)) {
      expect(exported[theirs]?.array, theirs).toBe(own[ours].array);
    }
  });

  test.skipIf(sharedPath('interop') === null)(
    'are those of torchvision for SqueezeNet (skipped without ../shared/interop)',
    () => {
      const listed = sharedPath('interop', 'deep-compression-expected.json') as string;
      const expected = Object.entries<[shape: number[]]>(JSON.parse(readFileSync(listed, 'utf8')));
      const exported = Object.entries(exportNames(new SqueezeNet({ generator }), 'torchvision'));
      expect(exported.map(([name, { shape }]) => [name, shape])).toEqual(
        expected.map(([name, [shape]]) => [name, shape]),
      );
    },
  );

  test.each([11, 13, 16, 19] as const)('of Caffe tell VGG of depth %i', (depth) => {
    const options = { width: 1, hiddenFeatures: 2, poolSize: 1, generator };
    const tensors = exportNames(new VGG({ depth, ...options }), 'caffe');
    const found = identifyNetwork({ tensors });
    expect(found?.label).toBe(`VGG({ depth: ${depth} })`);
    expect(found?.origin.preprocessing).toMatchObject({ channelOrder: 'BGR', inputSize: 224 });
  });

  test('that are not known are refused', () => {
    expect(() => exportNames(new LeNet5({ generator }), 'caffe')).toThrow(
      "exportNames: 'caffe' has no names for LeNet5 that are known here; known are those of pytorch, " +
        'mindspore, firelight',
    );
  });
});

describe('what is left over', () => {
  const network = new ResNet({ width: 1, generator });
  const state = exportNames(network, 'torchvision');
  const without = (...names: string[]): StateDict =>
    Object.fromEntries(Object.entries(state).filter(([name]) => !names.includes(name)));

  test('is told on both sides, but not what norms of PyTorch count', () => {
    const tensors = {
      ...without('fc.bias', 'layer1.0.bn1.weight'),
      'bn1.num_batches_tracked': tensor(3, { dtype: 'int64' }),
      'head.extra': ones([1]),
      'moments.conv1.weight': state['conv1.weight'],
    };
    const { missing, unused, optimizer } = mapNames(network, tensors);
    expect(missing).toEqual(['layer1.0.bn1.weight', 'fc.bias']);
    expect(unused).toEqual(['head.extra']);
    expect(Object.keys(optimizer)).toEqual(['moments.conv1.weight']);
  });

  test('a prefix is taken off, and that is told', () => {
    const tensors = Object.fromEntries(
      Object.entries(state).map(([name, value]) => [`module.${name}`, value]),
    );
    const { missing, notes } = mapNames(network, tensors);
    expect(missing).toEqual([]);
    expect(notes).toEqual(["names begin with 'module.', taken off"]);
  });

  test.each<[what: string, tensors: () => StateDict, message: RegExp]>([
    [
      'a deeper network',
      () => exportNames(new ResNet({ depth: 34, width: 1, generator }), 'torchvision'),
      /^mapNames: these are the names of ResNet\(\{ depth: 34 \}\) as torchvision has them, not of this ResNet \(0 of its 102 tensors are missing, and \d+ of the file are no tensors of it, such as 'layer1\.2\.conv1\.weight'\); create that network/,
    ],
    [
      'another network',
      () =>
        exportNames(
          new SqueezeNet({ version: '1.1', metaparameters: small, generator }),
          'torchvision',
        ),
      /^mapNames: these are the names of SqueezeNet\(\{ version: '1.1' \}\) as torchvision has them/,
    ],
    [
      "MindSpore's other network",
      () =>
        exportNames(
          new MobileNetV2({ widthMultiplier: 0.05, numClasses: 2, generator }),
          'mindspore',
        ),
      /^mapNames: these are the names of MobileNetV2\(\) as mindspore has them/,
    ],
    [
      'nothing that is known',
      () => ({ 'a.kernel': ones([1]) }),
      /^mapNames: has no tensor of this ResNet under any name .* \(it has 'a\.kernel'; the network 'conv1\.weight', /,
    ],
    ['nothing', () => ({}), /^mapNames: has no tensor of this ResNet under any name/],
  ])('%s is told', (_, tensors, message) => {
    expect(() => mapNames(network, tensors())).toThrow(CheckpointError);
    expect(() => mapNames(network, tensors())).toThrow(message);
  });

  test('names of other objects are no names', () => {
    const { unused } = mapNames(
      network,
      Object.fromEntries([...Object.entries(state), ['__proto__', ones([1])]]),
    );
    expect(unused).toEqual(['__proto__']);
  });
});
