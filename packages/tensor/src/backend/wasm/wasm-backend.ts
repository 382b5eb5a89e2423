import { BackendError, ValueError } from '../../core/errors.ts';
import type { AutomaticBackend } from '../backend.ts';
import {
  type Declined,
  type DeclinedCalls,
  NOT_FLOAT32,
  NOT_FLOAT32_WITH_INDICES,
} from '../declined.ts';
import { batchNormalization } from './kernels/batch-norm/batch-norm.ts';
import { convolution } from './kernels/conv2d/conv2d.ts';
import { binaryFunctions } from './kernels/elementwise/binary.ts';
import { casts, declinedCasts, OTHER_CASTS } from './kernels/elementwise/cast.ts';
import { comparisons, OTHER_COMPARISONS } from './kernels/elementwise/compare.ts';
import { regularization } from './kernels/elementwise/dropout.ts';
import { unaryFunctions } from './kernels/elementwise/unary.ts';
import { updates } from './kernels/elementwise/updates.ts';
import { choice, OTHER_CHOICES } from './kernels/elementwise/where.ts';
import { linearAlgebra } from './kernels/gemm/matmul.ts';
import { declinedGathering, gathering } from './kernels/movement/gather.ts';
import { movement } from './kernels/movement/movement.ts';
import { averagePooling } from './kernels/pool2d/avg-pool2d.ts';
import { declinedPooling } from './kernels/pool2d/fields.ts';
import { maxPooling } from './kernels/pool2d/max-pool2d.ts';
import { argReductions } from './kernels/reduce/arg-reduce.ts';
import { declinedReductions, reductions } from './kernels/reduce/reduce.ts';
import { crossEntropy, declinedCrossEntropy } from './kernels/softmax/cross-entropy.ts';
import { declinedSoftmax, softmaxFunctions } from './kernels/softmax/softmax.ts';
import { supportsSimd } from './runtime/engine.ts';
import { runtime, startedRuntime } from './runtime/runtime.ts';
import { settings } from './runtime/settings.ts';

/** Why this backend cannot run here; null if it can. */
export function whyNotWasm(): string | null {
  return supportsSimd() ? null : 'this JavaScript engine has no WebAssembly SIMD with threads';
}

const kernels = {
  ...unaryFunctions,
  ...binaryFunctions,
  ...comparisons,
  ...choice,
  ...casts,
  ...reductions,
  ...argReductions,
  ...linearAlgebra,
  ...movement,
  ...gathering,
  ...softmaxFunctions,
  ...crossEntropy,
  ...convolution,
  ...maxPooling,
  ...averagePooling,
  ...regularization,
  ...batchNormalization,
  ...updates,
};

/** What single kernels decline besides other dtypes. */
const declined: DeclinedCalls = {
  ...declinedCasts,
  ...declinedReductions,
  ...declinedGathering,
  ...declinedSoftmax,
  ...declinedCrossEntropy,
  ...declinedPooling,
};

/** What kernels decline that take other dtypes than float32 alone. */
const OTHER_DTYPES: Readonly<Record<string, Declined<never> | undefined>> = {
  // Labels or positions are among their arguments.
  softmaxCrossEntropy: NOT_FLOAT32_WITH_INDICES,
  softmaxCrossEntropyGrad: NOT_FLOAT32_WITH_INDICES,
  maxPool2dGrad: NOT_FLOAT32_WITH_INDICES,
  gather: NOT_FLOAT32_WITH_INDICES,
  gatherGrad: NOT_FLOAT32_WITH_INDICES,
  compare: OTHER_COMPARISONS,
  where: OTHER_CHOICES,
  cast: OTHER_CASTS,
} satisfies { readonly [Name in keyof typeof kernels]?: NonNullable<DeclinedCalls[Name]>[number] };

function declinedCalls(): DeclinedCalls {
  const own: Readonly<Record<string, readonly Declined<never>[] | undefined>> = declined;
  const entries = Object.keys(kernels).map((name) => {
    return [name, [OTHER_DTYPES[name] ?? NOT_FLOAT32, ...(own[name] ?? [])]] as const;
  });
  return Object.fromEntries(entries);
}

export const wasmBackend: AutomaticBackend = {
  name: 'wasm',
  kernels,
  declined: declinedCalls(),
  options: ['winograd', 'relaxedSimd', 'wideVectors'],
  fallback: 'reference',
  whyNot: whyNotWasm,

  describe() {
    const { features, width, threads, workerProblem } = runtime();
    const count = `${threads} thread${threads === 1 ? '' : 's'}`;
    return [
      'wasm: WebAssembly SIMD',
      width.lanes === 8 ? '256-bit vectors' : `128-bit vectors (${width.reason})`,
      features.fma ? 'fused multiply-add' : 'multiply and add apart',
      workerProblem === null ? count : `${count} (${workerProblem})`,
      `3×3 convolutions ${settings.winograd ? 'by Winograd' : 'as plain sums'}`,
      "float32; other dtypes, and what single kernels decline, on 'reference'",
    ].join(', ');
  },

  async start({ winograd = true, relaxedSimd = true, wideVectors = true }) {
    const problem = whyNotWasm();
    if (problem !== null) {
      throw new BackendError(`setBackend: 'wasm' cannot run here: ${problem}; use 'reference'`);
    }
    settings.winograd = winograd;
    settings.relaxedSimd = relaxedSimd;
    settings.wideVectors = wideVectors;
    runtime().choose(settings);
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
