import { defineOp } from '../autograd/define-op.ts';
import { isRepetition } from '../autograd/grad-mode.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { Activation, BatchNormStatistics } from '../backend/contract.ts';
import { batchNormalization, movement, updates } from '../backend/kernels.ts';
import { expectBoolean, expectShare, expectThat, readOptions } from '../core/checks.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { concat } from './concat.ts';
import {
  asTensor,
  dtypeOf,
  expectRank,
  expectSameFloating,
  expectTarget,
  type TensorLike,
} from './operands.ts';

interface Attributes {
  readonly statistics: BatchNormStatistics & { readonly frozen: boolean };
  readonly epsilon: number;
  readonly activation: Activation;
}

interface Saved {
  readonly x: NdArray;
  readonly weight: NdArray;
  /** Only where an activation needs it. */
  readonly bias: NdArray | null;
  readonly statistics: Attributes['statistics'];
  readonly epsilon: number;
}

const batchNorm2dOp = defineOp<[NdArray, NdArray, NdArray], Attributes, Saved>('batchNorm2d', {
  forward: ([x, weight, bias], { statistics, epsilon, activation }) => ({
    y: batchNormalization().batchNorm2d(x, statistics, weight, bias, epsilon, activation),
    saved: { x, weight, bias: activation === 'relu' ? bias : null, statistics, epsilon },
  }),
  backward(gradOut, { x, weight, bias, statistics, epsilon }) {
    const grads = batchNormalization().batchNorm2dGrad(
      x,
      statistics,
      weight,
      bias,
      gradOut,
      epsilon,
    );
    return [grads.x, grads.weight, grads.bias];
  },
});

/** What `batchNorm2d` and `batchNorm2dBranches` do alike to all channels. */
export interface BatchNorm2dCommonOptions {
  /** Normalize by the batch (true) or by the running statistics (false); true by default. */
  readonly training?: boolean;
  /** Share of the batch in the running statistics, in [0, 1]; 0.1 by default. */
  readonly momentum?: number;
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number;
  /** `'relu'` applies max(0, ·) to the result in the same pass; `'none'` by default. */
  readonly activation?: Activation;
}

/** @deprecated Use `BatchNorm2dCommonOptions`. */
export type BatchNorm2dSettings = BatchNorm2dCommonOptions;

export interface BatchNorm2dOptions extends BatchNorm2dCommonOptions {
  /** `[C]`; updated in place while training (so it must be a tensor), used otherwise. */
  readonly runningMean: TensorLike;
  /** `[C]`; updated in place while training (so it must be a tensor), used otherwise. */
  readonly runningVariance: TensorLike;
}

/** Parameters and running statistics of some neighbouring channels; see `BatchNorm2dOptions`. */
export interface BatchNorm2dBranchOptions
  extends Pick<BatchNorm2dOptions, 'runningMean' | 'runningVariance'> {
  readonly weight: TensorLike;
  readonly bias: TensorLike;
}

const SETTINGS = ['training', 'momentum', 'epsilon', 'activation'] as const;
const OPTIONS = ['runningMean', 'runningVariance', ...SETTINGS] as const;
const BRANCH_OPTIONS = ['weight', 'bias', 'runningMean', 'runningVariance'] as const;

/** A branch whose operands are tensors. */
type TensorBranch = Readonly<Record<(typeof BRANCH_OPTIONS)[number], Tensor>>;

function readBranch(
  op: string,
  x: Tensor,
  branch: BatchNorm2dBranchOptions,
  training: boolean,
): TensorBranch {
  const operands = readOptions(op, branch, BRANCH_OPTIONS);
  const ofChannels = (name: keyof TensorBranch): Tensor =>
    asTensor(op, name, operands[name], x.dtype);
  const tensors = {
    weight: ofChannels('weight'),
    bias: ofChannels('bias'),
    runningMean: ofChannels('runningMean'),
    runningVariance: ofChannels('runningVariance'),
  };
  if (training) {
    expectTarget(op, 'runningMean', operands.runningMean);
    expectTarget(op, 'runningVariance', operands.runningVariance);
  }
  return tensors;
}

/** Checks dtypes and lengths; a branch that stands alone has all channels of x. */
function checkBranches(op: string, x: Tensor, branches: readonly TensorBranch[]): void {
  const [, C] = x.shape;
  const input = { shape: x.shape, layout: 'N, C, H, W' };
  for (const branch of branches) {
    expectSameFloating(op, { input: x, ...branch });
    const { weight } = branch;
    const channels = branches.length === 1 || weight.rank !== 1 ? C : weight.size;
    for (const [name, { rank, shape }] of Object.entries(branch)) {
      if (rank === 1 && shape[0] === channels) continue;
      const rule = `${name} must have one element for each of ${channels} channels`;
      throw shapeError(op, rule, { input, [name]: { shape, layout: 'C' } });
    }
  }
  const total = branches.reduce((sum, { weight }) => sum + weight.size, 0);
  if (total === C) return;
  const weights = branches.map(({ weight: { shape } }, i) => [
    `weight of branch ${i}`,
    { shape, layout: 'C' },
  ]);
  throw shapeError(op, `input has ${C} channels, branches have ${total}`, {
    input,
    ...Object.fromEntries(weights),
  });
}

const joined = (arrays: readonly NdArray[]): NdArray =>
  arrays.length === 1 ? arrays[0] : movement().concat(arrays, 0);

/** running ← (1 − momentum) · running + momentum · batch, the variance without bias. */
function updateRunning(
  { mean, variance }: BatchNormStatistics,
  count: number,
  branches: readonly TensorBranch[],
  momentum: number,
): void {
  const keep = 1 - momentum;
  let first = 0;
  for (const { runningMean, runningVariance } of branches) {
    const ofBranch = (batch: NdArray): NdArray =>
      branches.length === 1
        ? batch
        : movement().slice(batch, { starts: [first], steps: [1] }, runningMean.shape);
    updates().blend(runningMean.array, ofBranch(mean), { keep, add: momentum });
    updates().blend(runningVariance.array, ofBranch(variance), {
      keep,
      add: momentum * (count / (count - 1)),
    });
    first += runningMean.size;
  }
}

/** `batchNorm2dBranches` for the operation that messages name. */
function normalized(
  op: string,
  x: TensorLike,
  branches: readonly BatchNorm2dBranchOptions[],
  options: BatchNorm2dCommonOptions,
): Tensor {
  const {
    training = true,
    momentum = 0.1,
    epsilon = 1e-5,
    activation = 'none',
  } = readOptions(op, options, SETTINGS);
  expectThat(Array.isArray(branches), op, 'branches', 'an array', branches);
  if (branches.length === 0) {
    throw new ValueError(`${op}: needs at least one branch, got none`);
  }
  expectBoolean(op, 'training', training);
  const input = asTensor(op, 'x', x, dtypeOf(branches[0]?.weight));
  // Array.from also visits the holes of a sparse list, which are no branches.
  const norms = Array.from(branches, (branch) => readBranch(op, input, branch, training));
  expectRank(op, 'input', input, 'N, C, H, W');
  checkBranches(op, input, norms);
  expectShare(op, 'momentum', momentum);
  const isEpsilon = Number.isFinite(epsilon) && epsilon >= 0;
  expectThat(isEpsilon, op, 'epsilon', 'a finite number ≥ 0', epsilon);
  const isActivation = activation === 'none' || activation === 'relu';
  expectThat(isActivation, op, 'activation', "'none' or 'relu'", activation);
  const [N, , H, W] = input.shape;
  const count = N * H * W;
  if (training && count === 1) {
    throw shapeError(op, 'training needs more than one element in each channel', {
      input: { shape: input.shape, layout: 'N, C, H, W' },
    });
  }
  const [weight, bias] = (['weight', 'bias'] as const).map((name) =>
    norms.length === 1 ? norms[0][name] : concat(norms.map((norm) => norm[name])),
  );
  const operands = [input, weight, bias] as const;
  if (!training) {
    const mean = joined(norms.map(({ runningMean }) => runningMean.array));
    const variance = joined(norms.map(({ runningVariance }) => runningVariance.array));
    const statistics = { mean, variance, frozen: true };
    return batchNorm2dOp(operands, { statistics, epsilon, activation });
  }
  const batch = batchNormalization().channelMoments(input.array);
  if (count > 0 && !isRepetition()) updateRunning(batch, count, norms, momentum);
  return batchNorm2dOp(operands, { statistics: { ...batch, frozen: false }, epsilon, activation });
}

/**
 * Normalizes each channel: y = (x − mean) / √(variance + ε) · weight + bias, with mean and variance
 * over `[N, H, W]` of the batch while training, and the running ones otherwise. A batch without
 * elements gives a result without elements, and leaves the running statistics as they are.
 * `activation: 'relu'` applies max(0, ·) to y at no cost of its own.
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
  const { runningMean, runningVariance, ...settings } = readOptions(
    'batchNorm2d',
    options,
    OPTIONS,
  );
  const branch = { weight, bias, runningMean, runningVariance };
  return normalized('batchNorm2d', x, [branch], settings);
}

/**
 * Normalizes neighbouring channels with parameters and running statistics of their own: the same as
 * `concat` of what `batchNorm2d` makes of slices of x along the channels, without the copies.
 *
 * @param x `[N, ΣC, H, W]`
 * @param branches weight, bias and running statistics of each, in the order of the channels
 * @throws as `batchNorm2d`; ShapeError if the branches have other channels than x in all; ValueError
 *   without a branch
 */
export function batchNorm2dBranches(
  x: TensorLike,
  branches: readonly BatchNorm2dBranchOptions[],
  options: BatchNorm2dCommonOptions = {},
): Tensor {
  return normalized('batchNorm2dBranches', x, branches, options);
}
