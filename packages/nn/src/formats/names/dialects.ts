import { LeNet5 } from '../../models/lenet5.ts';
import { MobileNetV2 } from '../../models/mobilenet-v2.ts';
import { ResNet } from '../../models/resnet.ts';
import { SqueezeNet } from '../../models/squeezenet.ts';
import { VGG } from '../../models/vgg.ts';
import { VisionTransformer } from '../../models/vision-transformer.ts';
import type { Module } from '../../module/module.ts';
import {
  asInMindSpore,
  asInPyTorch,
  byFireNumber,
  byPlace,
  byVggStage,
  type Dialect,
} from './dialect.ts';
import { OF_CAFFE, OF_CAFFE_224, OF_TIMM, OF_TORCHVISION } from './origin.ts';

type Network = abstract new (...options: never[]) => Module;

const FIRELIGHT: Dialect = { origin: 'firelight', nameOf: asInPyTorch() };
const TORCHVISION = { origin: 'torchvision', preprocessing: OF_TORCHVISION } as const;
const MINDSPORE = { origin: 'mindspore', preprocessing: OF_TORCHVISION } as const;

/** LeNet as the tutorials of PyTorch and MindSpore have it. */
const OF_TUTORIALS = { activation: 'relu', pooling: 'max' } as const;
const ROUNDED_UP = { pooling: 'ceil' } as const;
/** What MindSpore's `pad_mode='same'` does with an even number of zeros too few for both sides. */
const PADS_BELOW =
  "strides of 2 pad with zeros below and on the right alone (pad_mode='same'), where this network pads all " +
  'sides; train it a little, or expect slightly other outputs';

/** Whether a ResNet has blocks of three convolutions, as that of depth 50. */
const hasBottlenecks = (network: Module): boolean =>
  network.namedParameters().some(([name]) => name === 'layer1.0.conv3.weight');

/**
 * Whose names a network may have, the likeliest first: of names that fit equally well, the first count.
 *
 * @see pytorch/vision, torchvision/models; huggingface/pytorch-image-models, timm/models;
 *   kuangliu/pytorch-cifar and akamaster/pytorch_resnet_cifar10, models/resnet.py and resnet.py;
 *   mindspore-ai/models, official/cv and research/cv/squeezenet; mindspore-lab/mindcv, mindcv/models;
 *   songhan/SqueezeNet-Deep-Compression, SqueezeNet_deploy.prototxt;
 *   vadimkantorov/caffemodel2pytorch, caffemodel2pytorch.py
 */
const DIALECTS: readonly (readonly [network: Network, dialects: readonly Dialect[]])[] = [
  [
    SqueezeNet,
    [
      {
        ...TORCHVISION,
        nameOf: asInPyTorch([/^final_conv\./, 'classifier.1.']),
        options: ROUNDED_UP,
      },
      // The tutorial's network, and the model zoo's.
      { ...MINDSPORE, nameOf: asInMindSpore() },
      // The model zoo's SqueezeNet_Residual.
      {
        ...MINDSPORE,
        nameOf: byFireNumber((number, layer) => `fire${number}.${layer}`),
        options: { bypass: 'simple' },
      },
      {
        origin: 'mindcv',
        preprocessing: OF_TORCHVISION,
        nameOf: asInMindSpore([/^final_conv\./, 'classifier.1.']),
      },
      {
        origin: 'caffe',
        preprocessing: OF_CAFFE,
        nameOf: byFireNumber(
          (number, layer) => `fire${number}/${layer === 'squeeze' ? 'squeeze1x1' : layer}`,
        ),
        options: ROUNDED_UP,
      },
      // MXNet's model zoo, from which the ONNX model zoo's SqueezeNet 1.1 is.
      { origin: 'gluon', preprocessing: OF_TORCHVISION, nameOf: byPlace('squeezenet0_conv') },
    ],
  ],
  [
    ResNet,
    [
      { ...TORCHVISION, nameOf: asInPyTorch() },
      {
        origin: 'pytorch',
        nameOf: asInPyTorch([/\.downsample\./, '.shortcut.'], [/^fc\./, 'linear.']),
      },
      {
        ...MINDSPORE,
        isFor: (network) => !hasBottlenecks(network),
        nameOf: asInMindSpore(
          [/\.downsample\./, '.down_sample_layer.'],
          [/^fc\./, 'end_point.'],
          [/\.bn([12])\./, '.bn$1d.'],
        ),
      },
      {
        ...MINDSPORE,
        isFor: hasBottlenecks,
        nameOf: asInMindSpore([/\.downsample\./, '.down_sample_layer.'], [/^fc\./, 'end_point.']),
        differences: [PADS_BELOW, 'norms add 1e-4 to the variance, where this network adds 1e-5'],
      },
      {
        origin: 'mindcv',
        preprocessing: OF_TORCHVISION,
        nameOf: asInMindSpore([/\.downsample\./, '.down_sample.'], [/^fc\./, 'classifier.']),
        differences: [PADS_BELOW],
      },
    ],
  ],
  [
    MobileNetV2,
    [
      { ...TORCHVISION, nameOf: asInPyTorch() },
      {
        ...MINDSPORE,
        nameOf: asInMindSpore(
          [/^(features\.\d+)\.(\d+)\.(?=\w+$)/, '$1.features.$2.'],
          [/^(features\.\d+\.conv\.\d+)\.(\d+)\.(?=\w+$)/, '$1.features.$2.'],
          [/^classifier\.1\./, 'dense.'],
        ),
      },
    ],
  ],
  [
    VGG,
    [
      { ...TORCHVISION, nameOf: asInPyTorch() },
      { ...MINDSPORE, nameOf: asInMindSpore([/^features\./, 'layers.']) },
      {
        origin: 'caffe',
        preprocessing: OF_CAFFE_224,
        isFor: (network) => network.namedBuffers().length === 0,
        nameOf: byVggStage,
      },
    ],
  ],
  [
    LeNet5,
    [
      // The tutorials name its layers alike.
      { origin: 'pytorch', nameOf: asInPyTorch(), options: OF_TUTORIALS },
      { origin: 'mindspore', nameOf: asInMindSpore(), options: OF_TUTORIALS },
    ],
  ],
  [
    VisionTransformer,
    [
      { ...TORCHVISION, nameOf: asInPyTorch() },
      // Files from before torchvision 0.12.
      {
        ...TORCHVISION,
        nameOf: asInPyTorch([/\.mlp\.0\./, '.mlp.linear_1.'], [/\.mlp\.3\./, '.mlp.linear_2.']),
      },
      {
        origin: 'timm',
        preprocessing: OF_TIMM,
        nameOf: asInPyTorch(
          [/^class_token$/, 'cls_token'],
          [/^encoder\.pos_embedding$/, 'pos_embed'],
          [/^conv_proj\./, 'patch_embed.proj.'],
          [/^encoder\.layers\.encoder_layer_(\d+)\./, 'blocks.$1.'],
          [/\.ln_([12])\./, '.norm$1.'],
          [/\.self_attention\.in_proj_/, '.attn.qkv.'],
          [/\.self_attention\.out_proj\./, '.attn.proj.'],
          [/\.mlp\.0\./, '.mlp.fc1.'],
          [/\.mlp\.3\./, '.mlp.fc2.'],
          [/^encoder\.ln\./, 'norm.'],
          [/^heads\.head\./, 'head.'],
        ),
      },
    ],
  ],
];

/** Of networks that are not listed: only the parts of norms may have other names. */
const OF_ANY: readonly Dialect[] = [
  { origin: 'pytorch', nameOf: asInPyTorch() },
  { origin: 'mindspore', nameOf: asInMindSpore() },
];

/** Whose names a network may have, the likeliest first; ours come last. */
export function dialectsOf(network: Module): readonly Dialect[] {
  const others = DIALECTS.find(([Network]) => network instanceof Network)?.[1] ?? OF_ANY;
  return [...others, FIRELIGHT].filter(({ isFor }) => isFor?.(network) ?? true);
}
