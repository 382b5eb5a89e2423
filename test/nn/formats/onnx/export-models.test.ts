import {
  AirbenchNet,
  LeNet5,
  MobileNetV2,
  ResNet,
  SqueezeNet,
  VGG,
  VisionTransformer,
} from '@firelight/nn';
import { Generator } from '@firelight/tensor';
import { test } from 'vitest';
import { expectRoundTrips, type NamedNetwork } from '../../../helpers/onnx-round-trip.ts';

const seeded = { generator: new Generator(1), numClasses: 5 };
const metaparameters = { baseExpand: 16, expandIncrement: 8 };
const small = { imageSize: 12, patchSize: 4, numLayers: 2, numHeads: 3, hiddenDim: 12, mlpDim: 20 };

const NETWORKS: readonly NamedNetwork[] = [
  ['AirbenchNet', () => new AirbenchNet({ widths: [4, 8, 8], ...seeded }), [1, 3, 32, 31]],
  ['LeNet5', () => new LeNet5({ generator: seeded.generator }), [1, 1, 32, 32]],
  ['MobileNetV2', () => new MobileNetV2({ widthMultiplier: 0.1, ...seeded }), [1, 3, 40, 33]],
  ['ResNet-20', () => new ResNet({ depth: 20, width: 4, ...seeded }), [1, 3, 17, 16]],
  ['SqueezeNet', () => new SqueezeNet({ metaparameters, ...seeded }), [1, 3, 36, 35]],
  ['VGG-11', () => new VGG({ depth: 11, width: 4, hiddenFeatures: 8, ...seeded }), [1, 3, 40, 33]],
  ['VisionTransformer', () => new VisionTransformer({ ...small, ...seeded }), [1, 3, 12, 12]],
];

test.each(NETWORKS)('%s', (_, make, inputShape) => expectRoundTrips(make(), inputShape));
