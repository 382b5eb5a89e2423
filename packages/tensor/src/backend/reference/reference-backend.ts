import type { Backend } from '../backend.ts';
import type { Kernels } from '../contract.ts';
import { batchNormalization } from './batch-norm.ts';
import { convolution } from './conv2d.ts';
import { regularization } from './dropout.ts';
import { elementwise } from './elementwise.ts';
import { linearAlgebra } from './matmul.ts';
import { movement } from './movement.ts';
import { pooling } from './pool2d.ts';
import { reductions } from './reduce.ts';
import { softmaxFamily } from './softmax.ts';
import { updates } from './updates.ts';

/**
 * All kernels as plain loops: the written definition that other backends are tested against. It is
 * kept readable, never optimized. Sums are taken in float64 and rounded once, when stored.
 */
export const referenceKernels: Kernels = {
  ...elementwise,
  ...reductions,
  ...linearAlgebra,
  ...movement,
  ...softmaxFamily,
  ...convolution,
  ...pooling,
  ...regularization,
  ...batchNormalization,
  ...updates,
};

export const referenceBackend: Backend = {
  name: 'reference',
  kernels: referenceKernels,
  fallback: null,
  describe: () => 'reference: plain TypeScript loops, one thread, sums in float64',
  async start() {},
};
