import {
  addmm,
  cumsum,
  layerNorm,
  logSoftmax,
  matmul,
  max,
  mean,
  min,
  type ReduceOptions,
  rmsNorm,
  softmax,
  softmaxCrossEntropy,
  sum,
  type Tensor,
  tensor,
} from '@firelight/tensor';
import fc from 'fast-check';
import { distinct, normal, seeds, shapes } from '../../../helpers/arbitraries.ts';
import type { OpCase } from './op-case.ts';

type Reduce = (x: Tensor, axis?: number[], options?: ReduceOptions) => Tensor;

const reduction = (op: string, run: Reduce, fill: typeof normal): OpCase => ({
  op,
  calls: shapes({ maxRank: 4 }).chain((shape) =>
    fc
      .tuple(fc.subarray(shape.map((_, axis) => axis)), fc.boolean(), fc.boolean(), seeds)
      .map(([axes, all, keepDims, seed]) => ({
        inputs: [fill(shape, seed)],
        run: (x: Tensor) => run(x, all ? undefined : axes, { keepDims }),
      })),
  ),
});

const alongAxis = (op: string, run: (x: Tensor, axis: number) => Tensor): OpCase => ({
  op,
  calls: shapes({ minRank: 1 }).chain((shape) =>
    fc.tuple(fc.nat({ max: shape.length - 1 }), seeds).map(([axis, seed]) => ({
      inputs: [normal(shape, seed)],
      run: (x: Tensor) => run(x, axis),
    })),
  ),
});

const length = fc.integer({ min: 1, max: 4 });

export const reductionCases: readonly OpCase[] = [
  reduction('sum', sum, normal),
  reduction('mean', mean, normal),
  reduction('max', max, distinct),
  reduction('min', min, distinct),
  alongAxis('cumsum', (x, axis) => cumsum(x, axis)),
  alongAxis('cumsum', (x, axis) => cumsum(x, axis, { exclusive: true, reverse: true })),
  alongAxis('softmax', softmax),
  alongAxis('logSoftmax', logSoftmax),
  {
    op: 'softmaxCrossEntropy',
    calls: fc.tuple(length, length, seeds).map(([samples, classes, seed]) => ({
      inputs: [normal([samples, classes], seed)],
      run: (logits) =>
        softmaxCrossEntropy(
          logits,
          tensor(
            Int32Array.from({ length: samples }, (_, i) => (i + seed) % classes),
            {},
          ),
        ),
    })),
  },
  {
    op: 'normalizeRows',
    calls: fc
      .record({
        outer: shapes({ maxRank: 2 }),
        shape: shapes({ minRank: 1, maxRank: 2, maxLength: 7 }),
        norm: fc.constantFrom('layerNorm', 'rmsNorm'),
        hasWeight: fc.boolean(),
        hasBias: fc.boolean(),
        seed: seeds,
      })
      .map(({ outer, shape, norm, hasWeight, hasBias, seed }) => {
        const options = { axis: -shape.length, epsilon: 0.1 };
        const isCentred = norm === 'layerNorm';
        const given = [hasWeight, isCentred && hasBias].flatMap((has, i) =>
          has ? [normal(shape, seed + 1 + i)] : [],
        );
        return {
          inputs: [normal([...outer, ...shape], seed), ...given],
          run: (x: Tensor, ...parameters: Tensor[]) => {
            const weight = hasWeight ? parameters[0] : null;
            const bias = isCentred && hasBias ? (parameters.at(-1) ?? null) : null;
            return isCentred ? layerNorm(x, weight, bias, options) : rmsNorm(x, weight, options);
          },
        };
      }),
  },
  {
    op: 'matmul',
    calls: fc
      .record({
        batch: shapes({ maxRank: 2, maxLength: 3 }),
        sharedA: fc.boolean(),
        sharedB: fc.boolean(),
        sizes: fc.tuple(length, length, length),
        seed: seeds,
      })
      .map(({ batch, sharedA, sharedB, sizes: [M, K, N], seed }) => ({
        inputs: [
          normal([...(sharedA ? [] : batch), M, K], seed),
          normal([...(sharedB ? batch.map(() => 1) : batch), K, N], seed + 1),
        ],
        run: (a: Tensor, b: Tensor) => matmul(a, b),
      })),
  },
  {
    op: 'matmul',
    calls: fc
      .record({
        batch: shapes({ maxRank: 2, maxLength: 3 }),
        sharedA: fc.boolean(),
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
        sizes: fc.tuple(length, length, length),
        seed: seeds,
      })
      .map(({ batch, sharedA, transposeA, transposeB, sizes: [M, K, N], seed }) => ({
        inputs: [
          normal([...(sharedA ? [] : batch), ...(transposeA ? [K, M] : [M, K])], seed),
          normal([...batch, ...(transposeB ? [N, K] : [K, N])], seed + 1),
          normal([N], seed + 2),
        ],
        run: (a: Tensor, b: Tensor, c: Tensor) =>
          addmm(c, a, b, { transposeA, transposeB, alpha: 0.5, beta: 2 }),
      })),
  },
];
