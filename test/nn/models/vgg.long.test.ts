import { VGG } from '@firelight/nn';
import { expect, test } from 'vitest';
import {
  expectTorchvisionNames,
  parameterCount,
  StillGenerator,
} from '../../helpers/network-golden.ts';

test.each([
  ['vgg11', { depth: 11 }, 132_863_336],
  ['vgg11_bn', { depth: 11, batchNorm: true }, 132_868_840],
  ['vgg16', { depth: 16 }, 138_357_544],
  ['vgg16_bn', { depth: 16, batchNorm: true }, 138_365_992],
] as const)(
  '%s has the parameters of torchvision',
  (name, options, count) => {
    const network = new VGG({ ...options, generator: new StillGenerator(0) });
    expect(parameterCount(network)).toBe(count);
    expectTorchvisionNames(name, network);
  },
  60_000,
);
