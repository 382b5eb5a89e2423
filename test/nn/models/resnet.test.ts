import { ResNet, type ResNetDepth, type ResNetOptions } from '@firelight/nn';
import { Generator, noGrad, ShapeError, setBackend, ValueError, zeros } from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import {
  expectLearnsByHeart,
  expectSummary,
  expectTorchRun,
  expectTorchvisionNames,
  parameterCount,
  StillGenerator,
} from '../../helpers/network-golden.ts';

const generator = new Generator(0);
const still = new StillGenerator(0);
const tiny = { width: 4, numClasses: 5, generator } as const;

afterAll(() => setBackend('wasm'));

describe('parameters', () => {
  // torchvision's counts; those of depth 20 by hand (the paper says 0.27 million).
  test.each([
    ['resnet18', { depth: 18 }, 11_689_512],
    ['resnet34', { depth: 34 }, 21_797_672],
    ['resnet50', { depth: 50 }, 25_557_032],
    ['resnet20', { depth: 20 }, 269_722],
    ['resnet20b', { depth: 20, shortcut: 'projection' }, 272_474],
  ] as const)('of %s have the names and number of torchvision', (name, options, count) => {
    const network = new ResNet({ ...options, generator: still });
    expect(parameterCount(network)).toBe(count);
    expectTorchvisionNames(name, network);
  });

  // torchvision's counts. Networks as narrow as 1 count blocks, and one of each width is made in full.
  test.each<[ResNetDepth, number]>([
    [101, 44_549_160],
    [152, 60_192_808],
  ])('of depth %i are as many as in torchvision', (depth, count) => {
    const full = new ResNet({ depth: 50, generator: still });
    const counts = (network: ResNet): number[] =>
      [1, 2, 3, 4].map((i) => {
        const names = network.namedModules().map(([name]) => name);
        return names.filter((name) => new RegExp(`^layer${i}\\.\\d+$`).test(name)).length;
      });
    const before = counts(full);
    const more = counts(new ResNet({ depth, width: 1, generator: still })).reduce(
      (sum, blocks, i) =>
        sum + (blocks - before[i]) * parameterCount(full.getSubmodule(`layer${i + 1}.1`)),
      0,
    );
    expect(parameterCount(full) + more).toBe(count);
  });

  // The paper's table 6 has 0.46, 0.66, 0.85 and 1.7 million.
  test.each<[ResNetDepth, number]>([
    [32, 464_154],
    [44, 658_586],
    [56, 853_018],
    [110, 1_727_962],
  ])('of depth %i are as many as published', (depth, count) => {
    expect(parameterCount(new ResNet({ depth, generator: still }))).toBe(count);
  });

  test('include running statistics in the state, which PyTorch has too', () => {
    const names = Object.keys(new ResNet(tiny).stateDict());
    expect(names).toContain('bn1.running_mean');
    expect(names).toContain('layer2.0.downsample.1.running_var');
  });
});

describe.each(['reference', 'wasm'])('on %s', (backend) => {
  test.each([
    ['resnet18', { depth: 18 }],
    ['resnet50', { depth: 50, stem: 'cifar', width: 2 }],
    ['resnet20', { depth: 20 }],
    ['resnet20b', { depth: 20, shortcut: 'projection' }],
  ] as const)('%s gives logits and gradients of PyTorch', async (name, options) => {
    await setBackend(backend);
    expectTorchRun(name, new ResNet({ ...tiny, ...options }), 2e-3);
  });
});

test.each<ResNetDepth>([18, 20])('depth %i learns 64 images by heart', (depth) => {
  const options = { shape: [3, 8, 8], classes: 5, steps: 80, learningRate: 0.01 };
  expectLearnsByHeart(new ResNet({ ...tiny, depth, stem: 'cifar' }), options);
});

test('has a summary, in which each convolution is a line', () => {
  expectSummary(new ResNet({ ...tiny, depth: 50 }), [1, 3, 32, 32]);
});

test('gives the same without gradients', () => {
  const network = new ResNet({ ...tiny, depth: 50, stem: 'cifar' }).eval();
  const x = zeros([2, 3, 9, 7]);
  expect(noGrad(() => network.forward(x)).data).toEqual(network.forward(x).data);
});

test.each<[Record<string, unknown>, RegExp]>([
  [{ depth: 19 }, /ResNet: depth must be one of 18, 20, 32, 34, 44, 50, 56, 101, 110, 152, got 19/],
  [{ stem: 'mnist' }, /ResNet: stem must be one of 'imagenet', 'cifar', got 'mnist'/],
  [{ shortcut: 'A' }, /ResNet: shortcut must be one of 'projection', 'pad', got 'A'/],
  [{ width: 0.5 }, /ResNet: width must be an integer ≥ 1, got 0.5/],
  [{ numClasses: 0 }, /ResNet: numClasses must be an integer ≥ 1, got 0/],
  [{ version: '18' }, /ResNet: there is no option 'version'/],
])('%j is refused', (options, message) => {
  expect(() => new ResNet(options as ResNetOptions)).toThrow(ValueError);
  expect(() => new ResNet(options as ResNetOptions)).toThrow(message);
});

test('refuses images with other channels', () => {
  const call = () => new ResNet(tiny).forward(zeros([1, 1, 32, 32]));
  expect(call).toThrow(ShapeError);
  expect(call).toThrow('ResNet: needs images [N, 3, H, W], got [1, 1, 32, 32]');
});
