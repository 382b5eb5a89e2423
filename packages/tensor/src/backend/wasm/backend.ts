import { BackendError, ValueError } from '../../core/errors.ts';
import { NdArray } from '../../core/ndarray.ts';
import type { AutomaticBackend } from '../backend.ts';
import { supportsSimd } from '../host.ts';
import type { Kernels } from '../kernels.ts';
import { referenceKernels } from '../reference/index.ts';
import { batchNormalization } from './kernels/batch-norm.ts';
import { convolution } from './kernels/conv2d/conv2d.ts';
import { movement } from './kernels/copy.ts';
import { regularization } from './kernels/dropout.ts';
import { binaryFunctions } from './kernels/elementwise/binary.ts';
import { unaryFunctions } from './kernels/elementwise/unary.ts';
import { linearAlgebra } from './kernels/matmul.ts';
import { averagePooling } from './kernels/pool2d/avg-pool2d.ts';
import { maxPooling } from './kernels/pool2d/max-pool2d.ts';
import { reductions } from './kernels/reduce.ts';
import { crossEntropy } from './kernels/softmax/cross-entropy.ts';
import { softmaxFunctions } from './kernels/softmax/softmax.ts';
import { updates } from './kernels/updates.ts';
import { runtime, startedRuntime } from './runtime.ts';
import { settings } from './settings.ts';

/** Why this backend cannot run here; null if it can. */
export function whyNotWasm(): string | null {
  return supportsSimd() ? null : 'this JavaScript engine has no WebAssembly SIMD with threads';
}

/** Kernels with int32 arrays (labels, positions) beside those of the operation's dtype. */
const INDEXED = new Set(['softmaxCrossEntropy', 'softmaxCrossEntropyGrad', 'maxPool2dGrad']);

function isFloat32(kernel: string, value: unknown): boolean {
  if (Array.isArray(value)) return value.every((element) => isFloat32(kernel, element));
  if (!(value instanceof NdArray)) return true;
  return value.dtype === 'float32' || (value.dtype === 'int32' && INDEXED.has(kernel));
}

/** The same kernels, where float64 and integers go to the reference backend. */
function forFloat32(kernels: Partial<Kernels>): Partial<Kernels> {
  const reference: Readonly<Record<string, unknown>> = { ...referenceKernels };
  const entries = Object.entries(kernels).map(([name, kernel]) => {
    const fast = kernel as (...values: unknown[]) => unknown;
    const exact = reference[name] as typeof fast; // The complete list of kernels.
    const choose = (...values: unknown[]): unknown =>
      isFloat32(name, values) ? fast(...values) : exact(...values);
    return [name, choose];
  });
  return Object.fromEntries(entries) as Partial<Kernels>; // Names and signatures did not change.
}

export const wasmBackend: AutomaticBackend = {
  name: 'wasm',
  kernels: forFloat32({
    ...unaryFunctions,
    ...binaryFunctions,
    ...reductions,
    ...linearAlgebra,
    ...movement,
    ...softmaxFunctions,
    ...crossEntropy,
    ...convolution,
    ...maxPooling,
    ...averagePooling,
    ...regularization,
    ...batchNormalization,
    ...updates,
  }),
  options: ['winograd', 'relaxedSimd'],
  fallback: 'reference',

  describe() {
    const { features, threads, workerProblem } = runtime();
    const count = `${threads} thread${threads === 1 ? '' : 's'}`;
    return [
      'wasm: WebAssembly SIMD',
      features.fma ? 'fused multiply-add' : 'multiply and add apart',
      workerProblem === null ? count : `${count} (${workerProblem})`,
      `3×3 convolutions ${settings.winograd ? 'by Winograd' : 'as plain sums'}`,
      "float32; float64 and integers on 'reference'",
    ].join(', ');
  },

  async start({ winograd = true, relaxedSimd = true }) {
    const problem = whyNotWasm();
    if (problem !== null) {
      throw new BackendError(`setBackend: 'wasm' cannot run here: ${problem}; use 'reference'`);
    }
    settings.winograd = winograd;
    settings.relaxedSimd = relaxedSimd;
    runtime().useRelaxedSimd(relaxedSimd);
  },

  async startAutomatically(options) {
    const problem = whyNotWasm();
    if (problem === null) await this.start(options);
    return problem;
  },
};

/**
 * How many threads the `wasm` backend computes with, the calling one included; as many as there are
 * processors by default. Results do not depend on it. Where no workers can run (a page that is not
 * cross-origin isolated) it stays at one, and `describeBackend()` says why.
 *
 * @throws ValueError unless `count` is an integer ≥ 1
 */
export function setThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1) {
    throw new ValueError(`setThreads: must be an integer ≥ 1, got ${count}`);
  }
  settings.threads = count;
  startedRuntime()?.setThreads(count);
}
