import {
  Conv2d,
  Flatten,
  Linear,
  Module,
  MultiHeadAttention,
  ReLU,
  Sequential,
  SqueezeNet,
  summary,
} from '@firelight/nn';
import { Generator, randn, type Tensor } from '@firelight/tensor';
import { expect, test } from 'vitest';
import { watchForward } from '../../packages/nn/src/module/watch.ts';

const generator = new Generator(0);

test('is a table of layers with their shapes, parameters and multiplications', () => {
  const network = new Sequential([
    new Conv2d({ inChannels: 2, outChannels: 4, kernelSize: 3, groups: 2, generator }),
    new ReLU(),
    new Flatten(),
    new Linear({ inFeatures: 36, outFeatures: 5, generator }),
  ]);
  expect(String(summary(network, [1, 2, 5, 5]))).toBe(
    [
      'layer  type     output shape  parameters  MACs',
      '----------------------------------------------',
      '0      Conv2d   [1, 4, 3, 3]          40   324',
      '1      ReLU     [1, 4, 3, 3]           0     0',
      '2      Flatten  [1, 36]                0     0',
      '3      Linear   [1, 5]               185   180',
      '----------------------------------------------',
      '225 parameters (0.00 MB), 504 MACs',
    ].join('\n'),
  );
});

// Parameters as published (torchvision); multiplications by Σ H · W · O · I · k² of the layers' table
// at 224², with pools that round down.
test.each([
  ['1.0', 1000, 1_248_424, 777_221_152],
  ['1.0', 10, 740_554, 704_230_432],
  ['1.1', 1000, 1_235_496, 349_151_936],
] as const)('knows SqueezeNet %s with %i classes', (version, numClasses, parameters, macs) => {
  const network = new SqueezeNet({ version, numClasses, generator });
  const found = summary(network, [1, 3, 224, 224]);
  expect(found.parameters).toBe(parameters);
  expect(found.macs).toBe(macs);
  expect(network.training).toBe(true);
});

test('lists modules that have parameters beside those inside them, and counts attention', () => {
  const layer = new MultiHeadAttention({ embedDim: 4, numHeads: 2, generator });
  const { layers, macs, parameters } = summary(layer, [3, 5, 4]);
  expect(layers.map(({ name, parameters }) => [name, parameters])).toEqual([
    ['out_proj', 20],
    ['', 60],
  ]);
  expect(parameters).toBe(80);
  // Four projections of 4 features, and two products of 5 positions with 5.
  expect(macs).toBe(3 * (4 * 5 * 4 * 4 + 2 * 5 * 5 * 4));
});

test('watching a network changes neither its result nor the network', () => {
  const network = new SqueezeNet({ numClasses: 3, stem: 'cifar', bypass: 'complex', generator });
  network.eval();
  const x = randn([1, 3, 32, 32], { generator });
  const expected = network.forward(x).data;
  let traced: Tensor | undefined;
  const names: string[] = [];
  watchForward(network, x, ({ name, output }) => {
    names.push(name);
    if (name === '') traced = output.detach();
    if (name === '') expect(Array.from(output.data)).toEqual(Array.from(expected));
  });
  expect(traced).toBeDefined();
  expect(names).toContain('features.3.expand3x3');
  expect(Object.hasOwn(network, 'forward')).toBe(false);

  class Failing extends Module {
    forward(): Tensor {
      throw new Error('on purpose');
    }
  }
  const failing = new Sequential([new ReLU(), new Failing()]);
  failing.layers[0].training = false;
  expect(() => summary(failing, [1])).toThrow('on purpose');
  expect(failing.layers.map((layer) => Object.hasOwn(layer, 'forward'))).toEqual([false, false]);
  expect(failing.layers.map(({ training }) => training)).toEqual([false, true]);
});
