import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  batchNorm2d,
  batchNorm2dBranches,
  cast,
  conv2d,
  convTranspose2d,
  dropout,
  Generator,
  globalAvgPool2d,
  globalMaxPool2d,
  maxPool2d,
  maxUnpool2d,
  ones,
  type Pair,
  stack,
  type Tensor,
  tensor,
  zeros,
} from '@firelight/tensor';
import fc from 'fast-check';
import { asPair } from '../../../../packages/tensor/src/core/window.ts';
import { distinct, normal, positive, seeds, shapes } from '../../../helpers/arbitraries.ts';
import { convolutionsWith, pair, poolingsWith } from '../../../helpers/windows.ts';
import type { OpCase } from './op-case.ts';

const convolutions = convolutionsWith({ maxGroupChannels: 4, budget: 20_000 });
const poolings = poolingsWith({ budget: 20_000 });
const images = shapes({ minRank: 4, maxRank: 4, maxLength: 4 });

/** Transposed convolutions whose output has pixels. */
const transposed = fc
  .record({
    groups: fc.integer({ min: 1, max: 2 }),
    lengths: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 7, maxLength: 7 }),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 3 }),
    extra: fc.nat({ max: 2 }),
    cut: fc.nat({ max: 2 }),
    hasBias: fc.boolean(),
    seed: seeds,
  })
  .map(({ groups, lengths, stride, dilation, extra, cut, hasBias, seed }) => {
    const [N, groupIn, groupOut, H, W, kernelHeight, kernelWidth] = lengths;
    const least = Math.min((H - 1) * stride + kernelHeight, (W - 1) * stride + kernelWidth);
    const options = {
      groups,
      stride,
      dilation,
      outputPadding: Math.min(extra, Math.max(stride, dilation) - 1),
      padding: Math.min(cut, Math.floor((least - 1) / 2)),
    };
    const shape = [N, groups * groupIn, H, W];
    const weight = [groups * groupIn, groupOut, kernelHeight, kernelWidth];
    return { shape, weight, hasBias, seed, options };
  });

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
    op: 'maxUnpool2d',
    calls: fc.tuple(images, pair(1, 3), seeds).map(([shape, kernelSize, seed]) => ({
      inputs: [normal(shape, seed)],
      run: (x: Tensor) => maxUnpool2d(x, placesIn(shape, kernelSize, seed), { kernelSize }),
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
    op: 'div',
    calls: poolings.map(({ shape, seed, options }) => ({
      inputs: [normal(shape, seed)],
      run: (x: Tensor) => avgPool2d(x, { ...options, countIncludePad: false }),
    })),
  },
  {
    op: 'convTranspose2d',
    calls: transposed.map(({ shape, weight, hasBias, seed, options }) => ({
      inputs: [
        normal(shape, seed),
        normal(weight, seed + 1),
        ...(hasBias ? [normal([weight[1] * options.groups], seed + 2)] : []),
      ],
      run: (x: Tensor, kernel: Tensor, bias?: Tensor) =>
        convTranspose2d(x, kernel, bias ?? null, options),
    })),
  },
  {
    op: 'matmul',
    calls: fc.tuple(images, pair(1, 6), seeds).map(([shape, size, seed]) => ({
      inputs: [normal(shape, seed)],
      run: (x: Tensor) => adaptiveAvgPool2d(x, size),
    })),
  },
  {
    op: 'max',
    calls: fc.tuple(images, pair(1, 6), seeds).map(([shape, size, seed]) => ({
      inputs: [distinct(shape, seed)],
      run: (x: Tensor) => adaptiveMaxPool2d(x, size),
    })),
  },
  {
    op: 'max',
    calls: fc.tuple(images, seeds).map(([shape, seed]) => ({
      inputs: [distinct(shape, seed)],
      run: globalMaxPool2d,
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
  {
    op: 'batchNorm2d',
    calls: fc.tuple(images, fc.boolean(), seeds).map(([[N, C, H, W], training, seed]) => {
      const parameters = [C, 2].flatMap((length, i) => [
        positive([length], seed + 2 * i + 1),
        around(0, [length], seed + 2 * i + 2),
      ]);
      return {
        inputs: [awayFromMean([2 * N + 2, C + 2, H, W], seed), ...parameters],
        run: (x: Tensor, ...[weight, bias, nextWeight, nextBias]: Tensor[]) =>
          batchNorm2dBranches(
            x,
            [
              { weight, bias, ...statisticsOf(C, x, seed + 5) },
              { weight: nextWeight, bias: nextBias, ...statisticsOf(2, x, seed + 7) },
            ],
            { training, epsilon: 0.1, activation: 'relu' },
          ),
      };
    }),
  },
];

/** Positions in the planes that windows were in, among them some twice. */
function placesIn(shape: readonly number[], kernelSize: Pair, seed: number): Tensor {
  const [N, C, H, W] = shape;
  const [kernelHeight, kernelWidth] = asPair(kernelSize);
  const count = N * C * H * W;
  const draws = new Generator(seed).uniform(count, { high: H * kernelHeight * W * kernelWidth });
  return tensor(Int32Array.from(draws, Math.floor), { shape });
}

/** Numbers within 0.2 of one. */
function around(center: number, shape: readonly number[], seed: number): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const limits = { low: center - 0.2, high: center + 0.2 };
  return tensor(new Generator(seed).uniform(size, limits), { shape });
}

/** About 1 in every second image and −1 in others, far from where ReLU has its kink after a norm. */
function awayFromMean([N, ...shape]: readonly number[], seed: number): Tensor {
  const sides = Array.from({ length: N }, (_, n) => around((-1) ** n, shape, seed + n));
  return stack(sides);
}

/** Running statistics near to those of `awayFromMean`. */
function statisticsOf(channels: number, { dtype }: Tensor, seed: number) {
  return {
    runningMean: cast(around(0, [channels], seed), dtype),
    runningVariance: cast(positive([channels], seed + 1), dtype),
  };
}
