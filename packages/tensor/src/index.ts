/**
 * Arrays with automatic gradients: what computes with tensors.
 *
 * @module @firelight/tensor
 */

export {
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  defineOp,
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  listOps,
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  type OpDefinition,
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  type OpInfo,
} from './autograd/define-op.ts';
export { type GradCheckOptions, gradCheck } from './autograd/grad-check.ts';
export { isGradEnabled, noGrad } from './autograd/grad-mode.ts';
export { type MemoryInfo, memory } from './autograd/memory.ts';
export { Tensor } from './autograd/tensor.ts';
export { tidy } from './autograd/tidy.ts';
export type { BackendOptions } from './backend/backend.ts';
export type {
  Activation,
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  Kernels,
  MomentumOptions,
} from './backend/contract.ts';
export { type BackendDescription, describeBackend } from './backend/describe-backend.ts';
export type { KernelDescription } from './backend/dispatch.ts';
export { setBackend } from './backend/registry.ts';
export { setThreads } from './backend/wasm/index.ts';
export type { BrowserWorker } from './backend/worker-thread.ts';
export {
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  describeValue,
} from './core/describe.ts';
export { DTYPES, type DType, type ReadonlyTypedArray, type TypedArray } from './core/dtype.ts';
export {
  AutogradError,
  BackendError,
  DTypeError,
  FirelightError,
  FormatError,
  ReleasedError,
  ShapeError,
  ValueError,
} from './core/errors.ts';
export {
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  printable,
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  printablePath,
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  quote,
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  quoteSome,
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  systemReason,
} from './core/messages.ts';
export {
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  NdArray,
} from './core/ndarray.ts';
export type { NestedArray } from './core/printing.ts';
export { Generator, type GeneratorState } from './core/random.ts';
export {
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  formatShape,
  type Shape,
} from './core/shape.ts';
export {
  type Padding,
  type PaddingOption,
  type Pair,
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  windowCount,
} from './core/window.ts';
export { checkpointed } from './higher-order/checkpointed.ts';
export { type GradientsOptions, grad, gradients } from './higher-order/gradients.ts';
export {
  celu,
  elu,
  hardSigmoid,
  hardSwish,
  mish,
  selu,
  softplus,
  softsign,
} from './ops/activations.ts';
export { adaptiveAvgPool1d, adaptiveMaxPool1d } from './ops/adaptive-pool1d.ts';
export { adaptiveAvgPool2d, adaptiveMaxPool2d } from './ops/adaptive-pool2d.ts';
export { type ArgReduceOptions, argmax, argmin } from './ops/arg-reduce.ts';
export { add, div, maximum, minimum, mul, pow, sub } from './ops/arithmetic.ts';
export { type AttentionOptions, scaledDotProductAttention } from './ops/attention.ts';
export { flatten, moveAxis, squeeze, unsqueeze } from './ops/axes.ts';
export {
  type BatchNorm2dBranchOptions,
  type BatchNorm2dCommonOptions,
  type BatchNorm2dOptions,
  type BatchNorm2dSettings,
  batchNorm2d,
  batchNorm2dBranches,
} from './ops/batch-norm2d.ts';
export { bincount } from './ops/bincount.ts';
export { broadcastTo } from './ops/broadcast-to.ts';
export { cast } from './ops/cast.ts';
export { clip, relu6 } from './ops/clip.ts';
export { equal, greater, greaterEqual, less, lessEqual, notEqual } from './ops/comparison.ts';
export { concat, stack } from './ops/concat.ts';
export { type ConvTranspose1dOptions, convTranspose1d } from './ops/conv-transpose1d.ts';
export { type ConvTranspose2dOptions, convTranspose2d } from './ops/conv-transpose2d.ts';
export {
  type Conv2dBranchOptions,
  type Conv2dOptions,
  conv2d,
  conv2dBranches,
} from './ops/conv2d.ts';
export {
  arange,
  type CreateOptions,
  defaultGenerator,
  full,
  linspace,
  ones,
  type RandomOptions,
  rand,
  randn,
  type TensorOptions,
  tensor,
  zeros,
} from './ops/create.ts';
export { fullLike, onesLike, zerosLike } from './ops/create-like.ts';
export {
  type CrossEntropyOptions,
  negativeLogLikelihood,
  softmaxCrossEntropy,
} from './ops/cross-entropy.ts';
export { type DropoutOptions, dropout } from './ops/dropout.ts';
export { einsum } from './ops/einsum.ts';
export { embedding } from './ops/embedding.ts';
export { erf, expm1, log1p, logSigmoid, reciprocal, rsqrt } from './ops/exponentials.ts';
export { flip, roll } from './ops/flip.ts';
export { gather } from './ops/gather.ts';
export { gelu } from './ops/gelu.ts';
export { interpolate } from './ops/interpolate.ts';
export type { InterpolateOptions } from './ops/interpolate-options.ts';
export {
  type EpsilonOption,
  groupNorm,
  instanceNorm,
  type LayerNormOptions,
  layerNorm,
  rmsNorm,
} from './ops/layer-norm.ts';
export {
  type LocalResponseNormOptions,
  localResponseNorm,
} from './ops/local-response-norm.ts';
export {
  isFinite,
  isInf,
  isNaN,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
} from './ops/logic.ts';
export { type LpPool2dOptions, lpPool2d } from './ops/lp-pool2d.ts';
export { type AddmmOptions, addmm, type MatmulOptions, matmul } from './ops/matmul.ts';
export { type MaxUnpool2dOptions, maxUnpool2d } from './ops/max-unpool2d.ts';
export { mod } from './ops/mod.ts';
export { type NormalizeOptions, normalize } from './ops/normalize.ts';
export { type OneHotOptions, oneHot } from './ops/one-hot.ts';
export {
  /** @deprecated Import it from `@firelight/tensor/extend`. */
  asTensor,
  type TensorLike,
} from './ops/operands.ts';
export { type PadMode, pad } from './ops/pad.ts';
export { permute, transpose } from './ops/permute.ts';
export {
  abs,
  exp,
  leakyRelu,
  log,
  neg,
  relu,
  sqrt,
} from './ops/pointwise.ts';
export {
  type AvgPool2dOptions,
  avgPool2d,
  globalAvgPool2d,
  globalMaxPool2d,
  maxPool2d,
  maxPool2dWithIndices,
  type Pool2dOptions,
} from './ops/pool2d.ts';
export { prod } from './ops/prod.ts';
export { type AxisOption, max, mean, min, type ReduceOptions, sum } from './ops/reduce.ts';
export { repeat, tile } from './ops/repeat.ts';
export { reshape } from './ops/reshape.ts';
export type { NearestRounding, ResizeCoordinates, ResizeMode } from './ops/resizing.ts';
export { ceil, floor, round, sign } from './ops/rounding.ts';
export { cumprod, cumsum, type ScanOptions } from './ops/scan.ts';
export { gatherNd, scatter, scatterAdd, scatterNd } from './ops/scatter.ts';
export type { ScatterReduction } from './ops/scatter-rows.ts';
export { compress, diagonal, nonZero } from './ops/select.ts';
export {
  type AvgPool1dOptions,
  avgPool1d,
  type Conv1dOptions,
  conv1d,
  globalAvgPool1d,
  globalMaxPool1d,
  maxPool1d,
  type Padding1d,
  type Pool1dOptions,
} from './ops/sequences.ts';
export { sigmoid, silu, tanh } from './ops/sigmoid.ts';
export { type AxisRange, slice } from './ops/slice.ts';
export { logSoftmax, softmax } from './ops/softmax.ts';
export { argsort, type SortOptions, sort, topK } from './ops/sort.ts';
export { depthToSpace, spaceToDepth } from './ops/space-to-depth.ts';
export { chunk, split, unstack } from './ops/split.ts';
export { square } from './ops/square.ts';
export {
  all,
  any,
  countNonZero,
  logSumExp,
  type NormOptions,
  norm,
  std,
  type VarianceOptions,
  variance,
} from './ops/statistics.ts';
export { takeAlongAxis } from './ops/take-along-axis.ts';
export type { NumberArray, TensorData } from './ops/tensor-data.ts';
export { hardShrink, prelu, softShrink, thresholdedRelu } from './ops/thresholds.ts';
export { eye, tril, triu } from './ops/triangle.ts';
export {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  cos,
  cosh,
  sin,
  sinh,
  tan,
} from './ops/trigonometry.ts';
export { assign, momentumStep } from './ops/update.ts';
export { where } from './ops/where.ts';
