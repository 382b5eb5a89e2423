import type { DType } from '../core/dtype.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { GeneratorState } from '../core/random.ts';
import type { Shape } from '../core/shape.ts';
import type { Conv2dWindow, Window2d } from '../core/window.ts';

/**
 * What the derivative of each unary function is computed from, and so all that is kept for it: its
 * input, its output where that is enough, or nothing (the others may then be freed or overwritten).
 */
export const UNARY_GRAD_FROM = {
  neg: 'nothing',
  exp: 'output',
  log: 'input',
  sqrt: 'output',
  abs: 'input',
  relu: 'output',
  leakyRelu: 'input',
} as const satisfies Record<string, 'input' | 'output' | 'nothing'>;

export type UnaryOp = keyof typeof UNARY_GRAD_FROM;
export type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum';
export type CompareOp = 'equal' | 'notEqual' | 'greater' | 'greaterEqual' | 'less' | 'lessEqual';
export type ReduceOp = 'sum' | 'mean';
export type ExtremumOp = 'max' | 'min';
export type ArgReduceOp = 'argmax' | 'argmin';

/** Elements left out before, between and after: index i of an axis reads `start + i · step`. */
export interface SliceRange {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
}

/** What a convolution or a batch norm applies to its output at once: nothing, or max(0, ·). */
export type Activation = 'none' | 'relu';

/** One of the convolutions that share an input. */
export interface Conv2dBranch {
  readonly weight: NdArray;
  readonly bias: NdArray | null;
  readonly window: Conv2dWindow;
}

/** Which gradients of a convolution are asked for. */
export interface Conv2dNeeds {
  readonly x: boolean;
  readonly branches: readonly { readonly weight: boolean; readonly bias: boolean }[];
}

/** Gradients of a convolution, those of weights and biases by branch; null where not asked for. */
export interface Conv2dGrads {
  readonly x: NdArray | null;
  readonly weights: readonly (NdArray | null)[];
  readonly biases: readonly (NdArray | null)[];
}

export interface BatchNormStatistics {
  readonly mean: NdArray;
  readonly variance: NdArray;
}

/** What one step of `Momentum` or `SGD` needs beside the arrays; see `momentumStep`. */
export interface MomentumOptions {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly lossScale: number;
  readonly nesterov: boolean;
  /** Share of the gradient that does not enter the velocity; 0 by default. */
  readonly dampening?: number;
}

/**
 * Every primitive that a backend can compute. `reference` has all of them and is their definition;
 * other backends have some, and the registry completes them.
 *
 * Arguments were checked by the op that calls: shapes fit, the dtypes of operands agree (but those of
 * `compare` may differ), axes are non-negative, and so are exponents of integers. Inputs are never
 * written to, except the `target`s of the last group. `gradOut` is the gradient of the loss by the
 * output, and has its shape.
 */
export interface Kernels {
  /** y = f(x) of each element; `alpha` is the slope of leakyRelu. */
  unary(op: UnaryOp, x: NdArray, alpha: number): NdArray;
  /** gradOut · f′, from what `UNARY_GRAD_FROM` names, or from any array of the shape if it names nothing. */
  unaryGrad(op: UnaryOp, saved: NdArray, gradOut: NdArray, alpha: number): NdArray;
  /** Of each pair of elements; `a` and `b` broadcast. */
  binary(op: BinaryOp, a: NdArray, b: NdArray): NdArray;
  /** aᵇ of each pair of elements; `a` and `b` broadcast. */
  power(a: NdArray, b: NdArray): NdArray;
  /** Of each pair of elements, as bool; `a` and `b` broadcast. */
  compare(op: CompareOp, a: NdArray, b: NdArray): NdArray;
  /** Elements of `a` where `condition` is true, else of `b`; all three broadcast. */
  where(condition: NdArray, a: NdArray, b: NdArray): NdArray;
  /** The same numbers in another dtype, in an array of its own even if the dtype is the same. */
  cast(x: NdArray, dtype: DType): NdArray;

  /** Over `axes`, which are removed. */
  reduce(op: ReduceOp, x: NdArray, axes: readonly number[]): NdArray;
  /** The largest or smallest element over `axes`, which are removed. */
  extremum(op: ExtremumOp, x: NdArray, axes: readonly number[]): NdArray;
  /** Positions along `axis`, int32; the axis is removed. */
  argReduce(op: ArgReduceOp, x: NdArray, axis: number): NdArray;

  /** [..., M, K] · [..., K, N] → [..., M, N], either one transposed first; batch axes broadcast. */
  matmul(a: NdArray, b: NdArray, transposed: { a: boolean; b: boolean }): NdArray;

  /** `x` repeated along axes of length 1, or missing in front. */
  broadcastTo(x: NdArray, shape: Shape): NdArray;
  /** Axis i of the result is axis `axes[i]` of `x`. */
  permute(x: NdArray, axes: readonly number[]): NdArray;
  /** Index i of an axis reads `start + i · step`; `shape` is the result's. */
  slice(x: NdArray, range: SliceRange, shape: Shape): NdArray;
  /** `gradOut` added into zeros of the input's shape. */
  sliceGrad(gradOut: NdArray, range: SliceRange, inputShape: Shape): NdArray;
  /** `x` from index `before` on inside `shape`, which else holds `value`. */
  pad(x: NdArray, before: readonly number[], shape: Shape, value: number): NdArray;
  /** One after the other along `axis`. */
  concat(inputs: readonly NdArray[], axis: number): NdArray;
  /** Slices of `x` along `axis` at `indices`, int32; the shape of `indices` replaces the axis. */
  gather(x: NdArray, indices: NdArray, axis: number): NdArray;
  /** `gradOut` added into zeros of the input's shape, at `indices`. */
  gatherGrad(gradOut: NdArray, indices: NdArray, axis: number, inputShape: Shape): NdArray;

  /** e^x / Σ e^x along `axis`. */
  softmax(x: NdArray, axis: number): NdArray;
  /** y · (gradOut − Σ y · gradOut), from the output. */
  softmaxGrad(y: NdArray, gradOut: NdArray, axis: number): NdArray;
  /** x − ln Σ e^x along `axis`. */
  logSoftmax(x: NdArray, axis: number): NdArray;
  /** gradOut − e^y · Σ gradOut, from the output. */
  logSoftmaxGrad(y: NdArray, gradOut: NdArray, axis: number): NdArray;
  /** −logSoftmax(logits)[label] of each sample, 0 for label −1: logits [N, C], labels int32 [N] → [N]. */
  softmaxCrossEntropy(logits: NdArray, labels: NdArray): NdArray;
  /** (softmax(logits) − oneHot(labels)) · gradOut, 0 for label −1: [N, C]. */
  softmaxCrossEntropyGrad(logits: NdArray, labels: NdArray, gradOut: NdArray): NdArray;

  /**
   * x [N, C, H, W], weight [O, C/groups, kH, kW], bias [O]. Several convolutions of one input
   * ("branches", usually just one) make one output [N, ΣO, H′, W′], channels in their order.
   */
  conv2d(x: NdArray, branches: readonly Conv2dBranch[], activation: Activation): NdArray;
  /**
   * Gradients by what `needed` names.
   *
   * @param y the output if ReLU was applied to it, else null
   */
  conv2dGrad(
    x: NdArray,
    y: NdArray | null,
    gradOut: NdArray,
    branches: readonly Conv2dBranch[],
    needed: Conv2dNeeds,
  ): Conv2dGrads;

  /** [N, C, H, W] → [N, C, H′, W′]; `indices` are positions in the input's H · W plane, int32. */
  maxPool2d(x: NdArray, window: Window2d): { y: NdArray; indices: NdArray };
  /** `gradOut` added into zeros of the input's shape, at `indices`. */
  maxPool2dGrad(gradOut: NdArray, indices: NdArray, inputShape: Shape): NdArray;
  /** [N, C, H, W] → [N, C, H′, W′]. */
  avgPool2d(x: NdArray, window: Window2d): NdArray;
  /** `gradOut` spread evenly over each window. */
  avgPool2dGrad(gradOut: NdArray, inputShape: Shape, window: Window2d): NdArray;

  /** x / (1 − rate) where a draw from `generator` is not below `rate`, else 0; also its own gradient. */
  dropout(x: NdArray, rate: number, generator: GeneratorState): NdArray;
  /** Mean and biased variance of each channel, [C], over N, H and W. */
  channelMoments(x: NdArray): BatchNormStatistics;
  /** (x − mean) / √(variance + ε) · weight + bias; statistics, weight and bias are [C]. */
  batchNorm2d(
    x: NdArray,
    statistics: BatchNormStatistics,
    weight: NdArray,
    bias: NdArray,
    epsilon: number,
    activation: Activation,
  ): NdArray;
  /**
   * `frozen` statistics do not depend on x.
   *
   * @param bias given if ReLU was applied to the output, which is computed again, else null
   */
  batchNorm2dGrad(
    x: NdArray,
    statistics: BatchNormStatistics & { frozen: boolean },
    weight: NdArray,
    bias: NdArray | null,
    gradOut: NdArray,
    epsilon: number,
  ): { x: NdArray; weight: NdArray; bias: NdArray };

  /** In place: target ← keep · target + add · x. */
  blend(target: NdArray, x: NdArray, factors: { keep: number; add: number }): void;
  /** In place: one update of `target` and `velocity`; see `Momentum` of @firelight/nn. */
  momentumStep(target: NdArray, velocity: NdArray, grad: NdArray, options: MomentumOptions): void;
}

/** The names of all of them. */
export const KERNEL_NAMES: Readonly<Record<keyof Kernels, true>> = {
  unary: true,
  unaryGrad: true,
  binary: true,
  power: true,
  compare: true,
  where: true,
  cast: true,
  reduce: true,
  extremum: true,
  argReduce: true,
  matmul: true,
  broadcastTo: true,
  permute: true,
  slice: true,
  sliceGrad: true,
  pad: true,
  concat: true,
  gather: true,
  gatherGrad: true,
  softmax: true,
  softmaxGrad: true,
  logSoftmax: true,
  logSoftmaxGrad: true,
  softmaxCrossEntropy: true,
  softmaxCrossEntropyGrad: true,
  conv2d: true,
  conv2dGrad: true,
  maxPool2d: true,
  maxPool2dGrad: true,
  avgPool2d: true,
  avgPool2dGrad: true,
  dropout: true,
  channelMoments: true,
  batchNorm2d: true,
  batchNorm2dGrad: true,
  blend: true,
  momentumStep: true,
};
