import { MobileNetV2, VGG } from '@firelight/nn';
import { Generator } from '@firelight/tensor';
import { test } from 'vitest';
import { expectLearnsByHeart } from '../../helpers/network-golden.ts';

const common = { numClasses: 5, dropout: 0, generator: new Generator(0) } as const;

test('VGG learns 64 images by heart', () => {
  const small = { depth: 11, width: 4, batchNorm: true, poolSize: 1, hiddenFeatures: 32 } as const;
  const options = { shape: [3, 32, 32], classes: 5, steps: 150, learningRate: 0.01 };
  expectLearnsByHeart(new VGG({ ...common, ...small }), options);
}, 120_000);

test('MobileNetV2 learns 64 images by heart', () => {
  const network = new MobileNetV2({ ...common, widthMultiplier: 0.1, stem: 'cifar' });
  const options = { shape: [3, 8, 8], classes: 5, steps: 150, learningRate: 0.01 };
  expectLearnsByHeart(network, options);
}, 120_000);
