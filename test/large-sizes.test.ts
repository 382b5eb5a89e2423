import { CenterCrop, type Image, OneHot, syntheticCifar10 } from '@firelight/data';
import { BatchNorm2d, Conv2d, Linear, SqueezeNet, toArray } from '@firelight/nn';
import { Generator, ValueError } from '@firelight/tensor';
import { expect, test } from 'vitest';

const image: Image = { data: new Uint8Array(3), height: 1, width: 1, channels: 3, layout: 'HWC' };
const batch = { labels: Int32Array.of(0, 1), labelShape: [2] };

/** Whatever takes a number and allocates as many elements, or more. */
const allocating: readonly (readonly [name: string, allocate: (size: number) => unknown])[] = [
  ['Generator.words', (size) => new Generator(0).words(size)],
  ['Generator.uniform', (size) => new Generator(0).uniform(size)],
  ['Generator.normal', (size) => new Generator(0).normal(size)],
  ['Generator.permutation', (size) => new Generator(0).permutation(size)],
  ['Generator.split', (size) => new Generator(0).split(size)],
  ['Linear', (inFeatures) => new Linear({ inFeatures, outFeatures: 2 })],
  ['Conv2d', (kernelSize) => new Conv2d({ inChannels: 1, outChannels: 1, kernelSize })],
  ['BatchNorm2d', (numFeatures) => new BatchNorm2d({ numFeatures })],
  ['SqueezeNet', (numClasses) => new SqueezeNet({ numClasses })],
  ['toArray', (steps) => toArray(() => 1, steps)],
  ['CenterCrop', (size) => new CenterCrop(size).apply(image)],
  ['OneHot', (classes) => new OneHot(classes).apply(batch as never)],
  ['syntheticCifar10', (count) => syntheticCifar10({ count, seed: 0 })],
];

test.each(allocating)('%s refuses what no memory holds, in a sentence', (_, allocate) => {
  for (const size of [2 ** 34, 2 ** 53 - 1, 2 ** 60]) {
    expect(() => allocate(size)).toThrow(ValueError);
  }
});
