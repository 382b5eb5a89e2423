import { BackendError, ValueError } from '../../core/errors.ts';
import type { AutomaticBackend } from '../backend.ts';
import { supportsSimd } from './runtime/engine.ts';
import { runtime, startedRuntime } from './runtime/runtime.ts';
import { settings } from './runtime/settings.ts';

/** Why this backend cannot run here; null if it can. */
export function whyNotWasm(): string | null {
  return supportsSimd() ? null : 'this JavaScript engine has no WebAssembly SIMD with threads';
}

/** Its kernels come from `kernels.ts`, by family. */
export const wasmBackend: AutomaticBackend = {
  name: 'wasm',
  kernels: {},
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
