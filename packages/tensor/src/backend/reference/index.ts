export { batchNormalization } from './batch-norm.ts';
export { convolution } from './conv2d.ts';
export { regularization } from './dropout.ts';
export {
  binaryFunctions,
  casts,
  choice,
  comparisons,
  powers,
  unaryFunctions,
} from './elementwise.ts';
export { linearAlgebra } from './matmul.ts';
export { gathering, movement, permutation, placement } from './movement.ts';
export { averagePooling, maxPooling } from './pool2d.ts';
export { argReductions, extrema, reductions } from './reduce.ts';
export { referenceBackend } from './reference-backend.ts';
export { crossEntropy, logSoftmaxFunctions, softmaxFunctions } from './softmax.ts';
export { momentum, updates } from './updates.ts';
