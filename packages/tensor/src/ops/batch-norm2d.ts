import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { BatchNormStatistics } from '../backend/kernels.ts';
import { kernels } from '../backend/registry.ts';
import { shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import {
  asTensor,
  dtypeOf,
  expectRank,
  expectSameFloating,
  expectTarget,
  type TensorLike,
} from './operands.ts';
import { expectBoolean, expectShare, expectThat, readOptions } from './options.ts';

interface Attributes {
  readonly statistics: BatchNormStatistics & { readonly frozen: boolean };
  readonly epsilon: number;
}

interface Saved extends Attributes {
  readonly x: NdArray;
  readonly weight: NdArray;
}

const batchNorm2dOp = defineOp<[NdArray, NdArray, NdArray], Attributes, Saved>('batchNorm2d', {
  forward: ([x, weight, bias], { statistics, epsilon }) => ({
    y: kernels().batchNorm2d(x, statistics, weight, bias, epsilon),
    saved: { x, weight, statistics, epsilon },
  }),
  backward: (gradOut, { x, weight, statistics, epsilon }) => {
    const grads = kernels().batchNorm2dGrad(x, statistics, weight, gradOut, epsilon);
    return [grads.x, grads.weight, grads.bias];
  },
});

export interface BatchNorm2dOptions {
  /** `[C]`; updated in place while training (so it must be a tensor), used otherwise. */
  readonly runningMean: TensorLike;
  /** `[C]`; updated in place while training (so it must be a tensor), used otherwise. */
  readonly runningVariance: TensorLike;
  /** Normalize by the batch (true) or by the running statistics (false); true by default. */
  readonly training?: boolean;
  /** Share of the batch in the running statistics, in [0, 1]; 0.1 by default. */
  readonly momentum?: number;
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number;
}

const OPTIONS = ['runningMean', 'runningVariance', 'training', 'momentum', 'epsilon'] as const;

/** running ← (1 − momentum) · running + momentum · batch, the variance without bias. */
function updateRunning(
  { mean, variance }: BatchNormStatistics,
  count: number,
  { runningMean, runningVariance }: Readonly<Record<'runningMean' | 'runningVariance', Tensor>>,
  momentum: number,
): void {
  const keep = 1 - momentum;
  kernels().blend(runningMean.array, mean, { keep, add: momentum });
  kernels().blend(runningVariance.array, variance, {
    keep,
    add: momentum * (count / (count - 1)),
  });
}

/**
 * Normalizes each channel: y = (x − mean) / √(variance + ε) · weight + bias, with mean and variance
 * over `[N, H, W]` of the batch while training, and the running ones otherwise. A batch without
 * elements gives a result without elements, and leaves the running statistics as they are.
 *
 * @param x `[N, C, H, W]`
 * @param weight `[C]` (MindSpore's gamma)
 * @param bias `[C]` (MindSpore's beta)
 * @throws ShapeError if lengths do not match, or a batch in training has one element a channel
 * @see Ioffe & Szegedy, arXiv:1502.03167; torch.nn.BatchNorm2d (same momentum)
 */
export function batchNorm2d(
  x: TensorLike,
  weight: TensorLike,
  bias: TensorLike,
  options: BatchNorm2dOptions,
): Tensor {
  const {
    runningMean,
    runningVariance,
    training = true,
    momentum = 0.1,
    epsilon = 1e-5,
  } = readOptions('batchNorm2d', options, OPTIONS);
  const input = asTensor('batchNorm2d', 'x', x, dtypeOf(weight));
  const ofChannels = (name: string, operand: TensorLike): Tensor =>
    asTensor('batchNorm2d', name, operand, input.dtype);
  const perChannel = {
    weight: ofChannels('weight', weight),
    bias: ofChannels('bias', bias),
    runningMean: ofChannels('runningMean', runningMean),
    runningVariance: ofChannels('runningVariance', runningVariance),
  };
  expectBoolean('batchNorm2d', 'training', training);
  if (training) {
    expectTarget('batchNorm2d', 'runningMean', runningMean);
    expectTarget('batchNorm2d', 'runningVariance', runningVariance);
  }
  expectRank('batchNorm2d', 'input', input, 'N, C, H, W');
  expectSameFloating('batchNorm2d', { input, ...perChannel });
  const [N, C, H, W] = input.shape;
  for (const [name, tensor] of Object.entries(perChannel)) {
    if (tensor.rank !== 1 || tensor.shape[0] !== C) {
      throw shapeError('batchNorm2d', `${name} must have one element for each of ${C} channels`, {
        input: { shape: input.shape, layout: 'N, C, H, W' },
        [name]: { shape: tensor.shape, layout: 'C' },
      });
    }
  }
  expectShare('batchNorm2d', 'momentum', momentum);
  const isEpsilon = Number.isFinite(epsilon) && epsilon >= 0;
  expectThat(isEpsilon, 'batchNorm2d', 'epsilon', 'a finite number ≥ 0', epsilon);
  const operands = [input, perChannel.weight, perChannel.bias] as const;
  const count = N * H * W;
  if (!training) {
    const { array: mean } = perChannel.runningMean;
    const { array: variance } = perChannel.runningVariance;
    return batchNorm2dOp(operands, { statistics: { mean, variance, frozen: true }, epsilon });
  }
  if (count === 1) {
    throw shapeError('batchNorm2d', 'training needs more than one element in each channel', {
      input: { shape: input.shape, layout: 'N, C, H, W' },
    });
  }
  const batch = kernels().channelMoments(input.array);
  if (count > 0) updateRunning(batch, count, perChannel, momentum);
  return batchNorm2dOp(operands, { statistics: { ...batch, frozen: false }, epsilon });
}
