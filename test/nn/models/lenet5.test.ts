import { LeNet5, type LeNet5Options } from '@firelight/nn';
import { Generator, ShapeError, setBackend, ValueError, zeros } from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import {
  expectLearnsByHeart,
  expectSummary,
  expectTorchRun,
  expectTorchvisionNames,
  parameterCount,
} from '../../helpers/network-golden.ts';

const generator = new Generator(0);

afterAll(() => setBackend('wasm'));

test('has 61,706 parameters under the names of the tutorials', () => {
  expect(parameterCount(new LeNet5({ generator }))).toBe(61_706);
  expectTorchvisionNames('lenet5', new LeNet5({ generator }));
});

describe.each(['reference', 'wasm'])('on %s', (backend) => {
  test('gives logits and gradients of PyTorch', async () => {
    await setBackend(backend);
    expectTorchRun('lenet5', new LeNet5({ generator }));
    const modern = { imageSize: 28, activation: 'relu', pooling: 'max' } as const;
    expectTorchRun('lenet5-28', new LeNet5({ ...modern, generator }));
  });
});

test('learns 64 images by heart', () => {
  const options = { shape: [1, 28, 28], classes: 10, steps: 80, learningRate: 0.01 };
  expectLearnsByHeart(new LeNet5({ imageSize: 28, generator }), options);
});

test('has a summary', () => expectSummary(new LeNet5({ generator }), [1, 1, 32, 32]));

test('takes other channels and classes', () => {
  const network = new LeNet5({ inChannels: 3, numClasses: 7, generator });
  expect(network.forward(zeros([2, 3, 32, 32])).shape).toEqual([2, 7]);
});

test.each<[Record<string, unknown>, RegExp]>([
  [{ imageSize: 64 }, /LeNet5: imageSize must be 28 or 32, got 64/],
  [{ activation: 'gelu' }, /LeNet5: activation must be one of 'tanh', 'relu', got 'gelu'/],
  [{ pooling: 'sum' }, /LeNet5: pooling must be one of 'avg', 'max', got 'sum'/],
  [{ numClasses: 0 }, /LeNet5: numClasses must be an integer ≥ 1, got 0/],
  [{ classes: 3 }, /LeNet5: there is no option 'classes'/],
])('%j is refused', (options, message) => {
  expect(() => new LeNet5(options as LeNet5Options)).toThrow(ValueError);
  expect(() => new LeNet5(options as LeNet5Options)).toThrow(message);
});

test('refuses images of other sizes and channels', () => {
  const network = new LeNet5({ generator });
  expect(() => network.forward(zeros([1, 1, 28, 28]))).toThrow(ShapeError);
  expect(() => network.forward(zeros([1, 1, 28, 28]))).toThrow(
    'LeNet5: needs images of 32 × 32, got 28 × 28; resize them, or set imageSize',
  );
  expect(() => network.forward(zeros([1, 3, 32, 32]))).toThrow(
    'LeNet5: needs images [N, 1, H, W], got [1, 3, 32, 32]',
  );
});
