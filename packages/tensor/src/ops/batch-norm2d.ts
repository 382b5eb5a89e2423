import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { BatchNormStatistics } from '../backend/kernels.ts';
import { kernels } from '../backend/registry.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { expectRank, expectSameFloating } from './operands.ts';

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
  /** `[C]`; updated in place while training, used otherwise. */
  readonly runningMean: Tensor;
  /** `[C]`; updated in place while training, used otherwise. */
  readonly runningVariance: Tensor;
  /** Normalize by the batch (true) or by the running statistics (false); true by default. */
  readonly training?: boolean;
  /** Share of the batch in the running statistics, in [0, 1]; 0.1 by default. */
  readonly momentum?: number;
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number;
}

/** running ← (1 − momentum) · running + momentum · batch, the variance without bias. */
function updateRunning(
  { mean, variance }: BatchNormStatistics,
  count: number,
  { runningMean, runningVariance }: BatchNorm2dOptions,
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
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  options: BatchNorm2dOptions,
): Tensor {
  const { runningMean, runningVariance, training = true, momentum = 0.1, epsilon = 1e-5 } = options;
  expectRank('batchNorm2d', 'input', x, 'N, C, H, W');
  const perChannel = { weight, bias, runningMean, runningVariance };
  expectSameFloating('batchNorm2d', { input: x, ...perChannel });
  const [N, C, H, W] = x.shape;
  for (const [name, tensor] of Object.entries(perChannel)) {
    if (tensor.rank !== 1 || tensor.shape[0] !== C) {
      throw shapeError('batchNorm2d', `${name} must have one element for each of ${C} channels`, {
        input: { shape: x.shape, layout: 'N, C, H, W' },
        [name]: { shape: tensor.shape, layout: 'C' },
      });
    }
  }
  if (!(momentum >= 0 && momentum <= 1)) {
    throw new ValueError(`batchNorm2d: momentum must be in [0, 1], got ${momentum}`);
  }
  const count = N * H * W;
  if (!training) {
    const statistics = { mean: runningMean.array, variance: runningVariance.array, frozen: true };
    return batchNorm2dOp([x, weight, bias], { statistics, epsilon });
  }
  if (count === 1) {
    throw shapeError('batchNorm2d', 'training needs more than one element in each channel', {
      input: { shape: x.shape, layout: 'N, C, H, W' },
    });
  }
  const batch = kernels().channelMoments(x.array);
  if (count > 0) updateRunning(batch, count, options, momentum);
  return batchNorm2dOp([x, weight, bias], { statistics: { ...batch, frozen: false }, epsilon });
}
