import {
  avgPool2d,
  batchNorm2d,
  cast,
  conv2d,
  dropout,
  Generator,
  globalAvgPool2d,
  maxPool2d,
  ones,
  type Tensor,
  zeros,
} from '@firelight/tensor';
import fc from 'fast-check';
import { distinct, normal, positive, seeds, shapes } from '../../helpers/arbitraries.ts';
import { convolutionsWith, poolingsWith } from '../../helpers/windows.ts';
import type { OpCase } from './op-case.ts';

const convolutions = convolutionsWith({ maxGroupChannels: 4, budget: 20_000 });
const poolings = poolingsWith({ budget: 20_000 });
const images = shapes({ minRank: 4, maxRank: 4, maxLength: 4 });

export const spatialCases: readonly OpCase[] = [
  {
    op: 'conv2d',
    calls: convolutions.map(({ x, weight, hasBias, seed, ...options }) => ({
      inputs: [
        normal(x, seed),
        normal(weight, seed + 1),
        ...(hasBias ? [normal([weight[0]], seed + 2)] : []),
      ],
      run: (input: Tensor, kernel: Tensor, bias?: Tensor) =>
        conv2d(input, kernel, bias ?? null, options),
    })),
  },
  {
    op: 'maxPool2d',
    calls: poolings.map(({ shape, seed, options }) => ({
      inputs: [distinct(shape, seed)],
      run: (x: Tensor) => maxPool2d(x, options),
    })),
  },
  {
    op: 'avgPool2d',
    calls: poolings.map(({ shape, seed, options }) => ({
      inputs: [normal(shape, seed)],
      run: (x: Tensor) => avgPool2d(x, options),
    })),
  },
  {
    op: 'mean',
    calls: fc.tuple(images, seeds).map(([shape, seed]) => ({
      inputs: [normal(shape, seed)],
      run: globalAvgPool2d,
    })),
  },
  {
    op: 'dropout',
    calls: fc
      .tuple(shapes(), fc.double({ min: 0.05, max: 0.9, noNaN: true }), seeds)
      .map(([shape, p, seed]) => ({
        inputs: [normal(shape, seed)],
        // The same mask at every evaluation.
        run: (x: Tensor) => dropout(x, { p, generator: new Generator(seed) }),
      })),
  },
  {
    op: 'batchNorm2d',
    calls: fc.tuple(images, fc.boolean(), seeds).map(([shape, training, seed]) => {
      const [N, C, H, W] = shape;
      // Few elements have a variance near 0, where the function bends too sharply for differences.
      const size = N * H * W < 4 ? [N + 4, C, H, W] : shape;
      return {
        inputs: [normal(size, seed), normal([C], seed + 1), normal([C], seed + 2)],
        run: (x: Tensor, weight: Tensor, bias: Tensor) =>
          batchNorm2d(x, weight, bias, {
            runningMean: zeros([C], { dtype: x.dtype }),
            runningVariance: training
              ? ones([C], { dtype: x.dtype })
              : cast(positive([C], seed), x.dtype),
            training,
            epsilon: 0.1,
          }),
      };
    }),
  },
];
