import type { Gpu, GpuKernel } from './gpu-js.ts';
import type { Program } from './programs/program.ts';

/** Many more than a network has; each keeps its last result and the arrays it was given. */
const MOST_KERNELS = 1024;

/** A kernel of gpu.js, compiled when first called, and how many of its results are in use. */
export interface CachedKernel {
  readonly call: GpuKernel;
  resultsInUse: number;
}

/** Kernels by their program. The least recently used go, but none with a result in use. */
export class KernelCache {
  readonly #gpu: Gpu;
  readonly #mostKernels: number;
  readonly #kernels = new Map<string, CachedKernel>();

  constructor(gpu: Gpu, mostKernels = MOST_KERNELS) {
    this.#gpu = gpu;
    this.#mostKernels = mostKernels;
  }

  get size(): number {
    return this.#kernels.size;
  }

  kernelFor({ source, output, sizes }: Program): CachedKernel {
    const key = `${output.join()}|${sizes.join(';')}|${source}`;
    let kernel = this.#kernels.get(key);
    if (kernel === undefined) {
      this.#makeRoom();
      const call = this.#gpu.createKernel(source, {
        output,
        precision: 'single',
        pipeline: true,
        immutable: true,
      });
      kernel = { call, resultsInUse: 0 };
    }
    // The map is in order of insertion: the latest used are at its end.
    this.#kernels.delete(key);
    this.#kernels.set(key, kernel);
    return kernel;
  }

  #makeRoom(): void {
    for (const [key, kernel] of this.#kernels) {
      if (this.#kernels.size < this.#mostKernels) return;
      // Destroying a kernel of WebGL takes its results along.
      if (kernel.resultsInUse > 0) continue;
      this.#kernels.delete(key);
      kernel.call.destroy();
    }
  }
}
