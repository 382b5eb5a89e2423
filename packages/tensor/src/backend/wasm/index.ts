export { batchNormalization } from './kernels/batch-norm/batch-norm.ts';
export { convolution } from './kernels/conv2d/conv2d.ts';
export { binaryFunctions } from './kernels/elementwise/binary.ts';
export { casts, declinedCasts, OTHER_CASTS } from './kernels/elementwise/cast.ts';
export { comparisons, OTHER_COMPARISONS } from './kernels/elementwise/compare.ts';
export { regularization } from './kernels/elementwise/dropout.ts';
export { momentum } from './kernels/elementwise/momentum.ts';
export { powers } from './kernels/elementwise/power.ts';
export { unaryFunctions } from './kernels/elementwise/unary.ts';
export { updates } from './kernels/elementwise/updates.ts';
export { choice, OTHER_CHOICES } from './kernels/elementwise/where.ts';
export { linearAlgebra } from './kernels/gemm/matmul.ts';
export { declinedGathering, gathering } from './kernels/movement/gather.ts';
export { movement, permutation, placement } from './kernels/movement/movement.ts';
export { averagePooling } from './kernels/pool2d/avg-pool2d.ts';
export { declinedPooling } from './kernels/pool2d/fields.ts';
export { maxPooling } from './kernels/pool2d/max-pool2d.ts';
export { argReductions } from './kernels/reduce/arg-reduce.ts';
export { declinedReductions, extrema, reductions } from './kernels/reduce/reduce.ts';
export { crossEntropy, declinedCrossEntropy } from './kernels/softmax/cross-entropy.ts';
export {
  declinedSoftmax,
  logSoftmaxFunctions,
  softmaxFunctions,
} from './kernels/softmax/softmax.ts';
export { setThreads, wasmBackend, whyNotWasm } from './wasm-backend.ts';
