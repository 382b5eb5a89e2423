import { VGG, type VGGDepth, type VGGOptions } from '@firelight/nn';
import { Generator, ShapeError, setBackend, ValueError, zeros } from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import names from '../../fixtures/networks/names.json' with { type: 'json' };
import {
  expectSummary,
  expectTorchRun,
  parameterCount,
  StillGenerator,
} from '../../helpers/network-golden.ts';

const generator = new Generator(0);
const tiny = { width: 4, hiddenFeatures: 8, numClasses: 5, dropout: 0, generator } as const;

afterAll(() => setBackend('wasm'));

// With all hidden features it takes a gigabyte; vgg.long.test.ts has that.
test.each<[keyof typeof names, VGGOptions]>([
  ['vgg11', { depth: 11 }],
  ['vgg11_bn', { depth: 11, batchNorm: true }],
  ['vgg16', { depth: 16 }],
  ['vgg16_bn', { batchNorm: true }],
])('%s has the names and shapes of torchvision', (name, options) => {
  const few = { hiddenFeatures: 3, generator: new StillGenerator(0) };
  const shapes = new VGG({ ...options, ...few })
    .namedParameters()
    .map(([path, { shape }]) => [path, shape]);
  const expected = Object.entries<number[]>(names[name]).map(([path, shape]) => [
    path,
    path.startsWith('classifier') ? shape.map((length) => (length === 4096 ? 3 : length)) : shape,
  ]);
  expect(shapes).toEqual(expected);
});

// From table 1 of the paper, which counts convolutions and linear layers.
test.each<VGGDepth>([11, 13, 16, 19])('depth %i has as many layers', (depth) => {
  const weights = new VGG({ ...tiny, depth })
    .namedParameters()
    .filter(([name]) => name.endsWith('.weight'));
  expect(weights).toHaveLength(depth);
});

describe.each(['reference', 'wasm'])('on %s', (backend) => {
  test('gives logits and gradients of PyTorch', async () => {
    await setBackend(backend);
    expectTorchRun('vgg11', new VGG({ ...tiny, depth: 11 }));
    expectTorchRun('vgg16_bn', new VGG({ ...tiny, batchNorm: true }), 2e-3);
  });
});

test('has a summary', () => expectSummary(new VGG({ ...tiny, batchNorm: true }), [1, 3, 32, 32]));

test('drops features only while training', () => {
  const network = new VGG({ ...tiny, dropout: 0.5, depth: 11 }).eval();
  const x = zeros([1, 3, 32, 32]);
  expect(network.forward(x).data).toEqual(network.forward(x).data);
  expect(parameterCount(network)).toBe(parameterCount(new VGG({ ...tiny, depth: 11 })));
});

test.each<[Record<string, unknown>, RegExp]>([
  [{ depth: 12 }, /VGG: depth must be one of 11, 13, 16, 19, got 12/],
  [{ batchNorm: 1 }, /VGG: batchNorm must be true or false, got 1/],
  [{ width: 0 }, /VGG: width must be an integer ≥ 1, got 0/],
  [{ hiddenFeatures: 0 }, /VGG: hiddenFeatures must be an integer ≥ 1, got 0/],
  [{ poolSize: 0 }, /VGG: poolSize must be an integer ≥ 1, got 0/],
  [{ numClasses: 0 }, /VGG: numClasses must be an integer ≥ 1, got 0/],
  [{ bn: true }, /VGG: there is no option 'bn'/],
])('%j is refused', (options, message) => {
  expect(() => new VGG(options as VGGOptions)).toThrow(ValueError);
  expect(() => new VGG(options as VGGOptions)).toThrow(message);
});

test('refuses images with other channels or that are too small', () => {
  const network = new VGG({ ...tiny, depth: 11 });
  expect(() => network.forward(zeros([1, 1, 32, 32]))).toThrow(ShapeError);
  expect(() => network.forward(zeros([1, 1, 32, 32]))).toThrow(
    'VGG: needs images [N, 3, H, W], got [1, 1, 32, 32]',
  );
  expect(() => network.forward(zeros([1, 3, 32, 31]))).toThrow(ShapeError);
  expect(() => network.forward(zeros([1, 3, 32, 31]))).toThrow(
    'VGG: images of 32 × 31 shrink to nothing on the way; use images of at least 32 × 32',
  );
});
