import type { DType } from '../core/dtype.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { GeneratorState } from '../core/random.ts';
import type { Shape } from '../core/shape.ts';
import type { Conv2dWindow, Window2d } from '../core/window.ts';

/**
 * What the derivative of each unary function is computed from, and so all that is kept for it: its
 * input, its output where that is enough, or nothing (the others may then be freed or overwritten).
 * Outputs of sigmoid and tanh are not: far out they are 1, and y · (1 − y) and 1 − y² have no digits.
 */
export const UNARY_GRAD_FROM = {
  neg: 'nothing',
  exp: 'output',
  log: 'input',
  sqrt: 'output',
  abs: 'input',
  relu: 'output',
  leakyRelu: 'input',
  sigmoid: 'input',
  tanh: 'input',
  gelu: 'input',
  silu: 'input',
} as const satisfies Record<string, 'input' | 'output' | 'nothing'>;

export type UnaryOp = keyof typeof UNARY_GRAD_FROM;
export type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'maximum' | 'minimum';
export type CompareOp = 'equal' | 'notEqual' | 'greater' | 'greaterEqual' | 'less' | 'lessEqual';
export type ReduceOp = 'sum' | 'mean' | 'max' | 'min';
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
  // Elementwise. `alpha` is the slope of leakyRelu; `saved` is what UNARY_GRAD_FROM names, or
  // any array of the shape; `a` and `b` broadcast; the three arrays of `where` have one shape.
  unary(op: UnaryOp, x: NdArray, alpha: number): NdArray;
  unaryGrad(op: UnaryOp, saved: NdArray, gradOut: NdArray, alpha: number): NdArray;
  binary(op: BinaryOp, a: NdArray, b: NdArray): NdArray;
  compare(op: CompareOp, a: NdArray, b: NdArray): NdArray;
  where(condition: NdArray, a: NdArray, b: NdArray): NdArray;
  cast(x: NdArray, dtype: DType): NdArray;

  // Reductions. Reduced axes are removed; indices are int32.
  reduce(op: ReduceOp, x: NdArray, axes: readonly number[]): NdArray;
  argReduce(op: ArgReduceOp, x: NdArray, axis: number): NdArray;

  // [..., M, K] · [..., K, N] → [..., M, N]; batch axes broadcast.
  matmul(a: NdArray, b: NdArray, transposed: { a: boolean; b: boolean }): NdArray;

  // Movement. `sliceGrad` and `gatherGrad` add into zeros of the input's shape.
  broadcastTo(x: NdArray, shape: Shape): NdArray;
  permute(x: NdArray, axes: readonly number[]): NdArray;
  slice(x: NdArray, range: SliceRange, shape: Shape): NdArray;
  sliceGrad(gradOut: NdArray, range: SliceRange, inputShape: Shape): NdArray;
  pad(x: NdArray, before: readonly number[], shape: Shape, value: number): NdArray;
  concat(inputs: readonly NdArray[], axis: number): NdArray;
  gather(x: NdArray, indices: NdArray, axis: number): NdArray;
  gatherGrad(gradOut: NdArray, indices: NdArray, axis: number, inputShape: Shape): NdArray;

  // Softmax family. The cross-entropy is per sample: logits [N, C], labels int32 [N] → [N].
  softmax(x: NdArray, axis: number): NdArray;
  softmaxGrad(y: NdArray, gradOut: NdArray, axis: number): NdArray;
  logSoftmax(x: NdArray, axis: number): NdArray;
  logSoftmaxGrad(y: NdArray, gradOut: NdArray, axis: number): NdArray;
  softmaxCrossEntropy(logits: NdArray, labels: NdArray): NdArray;
  softmaxCrossEntropyGrad(logits: NdArray, labels: NdArray, gradOut: NdArray): NdArray;

  // Convolution. x [N, C, H, W], weight [O, C/groups, kH, kW], bias [O]. Several convolutions of one
  // input ("branches", usually just one) make one output [N, ΣO, H', W'], channels in their order.
  // For the gradients, `y` is that output if ReLU was applied to it, else null.
  conv2d(x: NdArray, branches: readonly Conv2dBranch[], activation: Activation): NdArray;
  conv2dGrad(
    x: NdArray,
    y: NdArray | null,
    gradOut: NdArray,
    branches: readonly Conv2dBranch[],
    needed: Conv2dNeeds,
  ): Conv2dGrads;

  // Pooling. `indices` are positions in the input's H · W plane.
  maxPool2d(x: NdArray, window: Window2d): { y: NdArray; indices: NdArray };
  maxPool2dGrad(gradOut: NdArray, indices: NdArray, inputShape: Shape): NdArray;
  avgPool2d(x: NdArray, window: Window2d): NdArray;
  avgPool2dGrad(gradOut: NdArray, inputShape: Shape, window: Window2d): NdArray;

  // Regularization and normalization. Dropout draws its mask from `generator`, and is its own
  // gradient. Statistics, weight and bias are [C]; `frozen` statistics do not depend on x. The
  // gradients get `bias` if ReLU was applied to the output, which is computed again, else null.
  dropout(x: NdArray, rate: number, generator: GeneratorState): NdArray;
  channelMoments(x: NdArray): BatchNormStatistics;
  batchNorm2d(
    x: NdArray,
    statistics: BatchNormStatistics,
    weight: NdArray,
    bias: NdArray,
    epsilon: number,
    activation: Activation,
  ): NdArray;
  batchNorm2dGrad(
    x: NdArray,
    statistics: BatchNormStatistics & { frozen: boolean },
    weight: NdArray,
    bias: NdArray | null,
    gradOut: NdArray,
    epsilon: number,
  ): { x: NdArray; weight: NdArray; bias: NdArray };

  // In place: target ← keep · target + add · x, and the update of an optimizer.
  blend(target: NdArray, x: NdArray, factors: { keep: number; add: number }): void;
  momentumStep(target: NdArray, velocity: NdArray, grad: NdArray, options: MomentumOptions): void;
}
