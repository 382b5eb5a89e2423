import { MobileNetV2, type MobileNetV2Options } from '@firelight/nn';
import { Generator, ShapeError, setBackend, ValueError, zeros } from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import {
  expectSummary,
  expectTorchRun,
  expectTorchvisionNames,
  parameterCount,
  StillGenerator,
} from '../../helpers/network-golden.ts';

const generator = new Generator(0);
const tiny = { numClasses: 5, dropout: 0, generator } as const;

afterAll(() => setBackend('wasm'));

test('has the names and number of parameters of torchvision', () => {
  const network = new MobileNetV2({ generator: new StillGenerator(0) });
  expect(parameterCount(network)).toBe(3_504_872);
  expectTorchvisionNames('mobilenet_v2', network);
});

// Keras' and the paper's authors' tables give 1.66, 1.95, 2.61 and 6.06 million.
test.each([
  [0.35, 1_677_000, 1_680_000],
  [0.5, 1_968_000, 1_970_000],
  [0.75, 2_630_000, 2_640_000],
  [1.4, 6_100_000, 6_110_000],
])('with factor %f has about as many as published', (widthMultiplier, least, most) => {
  const network = new MobileNetV2({ widthMultiplier, generator: new StillGenerator(0) });
  expect(parameterCount(network)).toBeGreaterThan(least);
  expect(parameterCount(network)).toBeLessThan(most);
});

describe.each(['reference', 'wasm'])('on %s', (backend) => {
  test('gives logits and gradients of PyTorch', async () => {
    await setBackend(backend);
    const imagenet = new MobileNetV2({ ...tiny, widthMultiplier: 0.25 });
    expectTorchRun('mobilenet_v2', imagenet, 2e-3);
    const cifar = new MobileNetV2({ ...tiny, widthMultiplier: 0.1, stem: 'cifar' });
    expectTorchRun('mobilenet_v2-cifar', cifar, 2e-3);
  });
});

test('has a summary', () => {
  expectSummary(new MobileNetV2({ ...tiny, widthMultiplier: 0.1 }), [1, 3, 32, 32]);
});

test.each<[Record<string, unknown>, RegExp]>([
  [{ widthMultiplier: 0 }, /MobileNetV2: widthMultiplier must be above 0, got 0/],
  [{ stem: 'mnist' }, /MobileNetV2: stem must be one of 'imagenet', 'cifar', got 'mnist'/],
  [{ numClasses: 0 }, /MobileNetV2: numClasses must be an integer ≥ 1, got 0/],
  [{ width: 1 }, /MobileNetV2: there is no option 'width'/],
])('%j is refused', (options, message) => {
  expect(() => new MobileNetV2(options as MobileNetV2Options)).toThrow(ValueError);
  expect(() => new MobileNetV2(options as MobileNetV2Options)).toThrow(message);
});

test('refuses images with other channels', () => {
  const call = () =>
    new MobileNetV2({ ...tiny, widthMultiplier: 0.1 }).forward(zeros([1, 4, 9, 9]));
  expect(call).toThrow(ShapeError);
  expect(call).toThrow('MobileNetV2: needs images [N, 3, H, W], got [1, 4, 9, 9]');
});
