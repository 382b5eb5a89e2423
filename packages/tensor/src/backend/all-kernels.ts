import type { AnyBackend } from './backend.ts';
import type { Kernels } from './contract.ts';
import type { KernelFamily } from './kernel-family.ts';
import {
  argReductions,
  averagePooling,
  batchNormalization,
  binaryFunctions,
  casts,
  choice,
  comparisons,
  convolution,
  crossEntropy,
  extrema,
  gathering,
  linearAlgebra,
  logSoftmaxFunctions,
  maxPooling,
  momentum,
  movement,
  permutation,
  placement,
  powers,
  reductions,
  regularization,
  softmaxFunctions,
  unaryFunctions,
  updates,
} from './kernels.ts';
import { chainInUse, replacedKernels } from './registry.ts';

/** Every family, for who cannot know which kernels will be called. */
export const FAMILIES: readonly KernelFamily[] = [
  unaryFunctions,
  binaryFunctions,
  powers,
  comparisons,
  choice,
  casts,
  reductions,
  extrema,
  argReductions,
  linearAlgebra,
  movement,
  permutation,
  placement,
  gathering,
  softmaxFunctions,
  logSoftmaxFunctions,
  crossEntropy,
  convolution,
  maxPooling,
  averagePooling,
  regularization,
  batchNormalization,
  updates,
  momentum,
];

let chain: readonly AnyBackend[] = [];
let all = {} as Kernels; // Filled before its first use.

/**
 * All kernels, each on the first backend that takes the call: for `forward` and `backward` of operations
 * of your own. A program that calls this carries all of them.
 */
export function kernels(): Kernels {
  const replaced = replacedKernels();
  if (replaced !== null) return replaced;
  if (chain !== chainInUse()) {
    chain = chainInUse();
    all = Object.assign({}, ...FAMILIES.map((family) => family()));
  }
  return all;
}
