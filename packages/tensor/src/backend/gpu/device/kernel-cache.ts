import { type Program, texelCount } from '../programs/program.ts';
import type { Gpu, GpuKernel } from './gpu-js.ts';

/**
 * A kernel holds on to memory for its last result and for what it was given from the host. All of
 * them together may hold so much; a training step of SqueezeNet with 32 images of 224² takes most
 * of it.
 */
const MOST_BYTES = 4 * 2 ** 30;

/** A kernel of gpu.js, compiled when first called, and how many of its results are in use. */
export interface CachedKernel {
  readonly call: GpuKernel;
  resultsInUse: number;
  readonly bytes: number;
}

/** Kernels by their program. The least recently used go, but none with a result in use. */
export class KernelCache {
  readonly #gpu: Gpu;
  readonly #mostBytes: number;
  readonly #kernels = new Map<string, CachedKernel>();
  #bytes = 0;

  constructor(gpu: Gpu, mostBytes = MOST_BYTES) {
    this.#gpu = gpu;
    this.#mostBytes = mostBytes;
  }

  kernelFor(program: Program): CachedKernel {
    const { source, output, sizes } = program;
    const key = `${output.join()}|${sizes.join(';')}|${source}`;
    let kernel = this.#kernels.get(key);
    if (kernel === undefined) {
      const bytes = bytesHeldFor(program);
      this.#makeRoom(bytes);
      const settings = { output, precision: 'single', pipeline: true, immutable: true } as const;
      kernel = { call: this.#gpu.createKernel(source, settings), resultsInUse: 0, bytes };
      this.#bytes += bytes;
    }
    // The map is in order of insertion: the latest used are at its end.
    this.#kernels.delete(key);
    this.#kernels.set(key, kernel);
    return kernel;
  }

  /** Gives back what kernels hold; results in use are lost too. */
  destroyAll(): void {
    for (const { call } of this.#kernels.values()) call.destroy();
    this.#kernels.clear();
    this.#bytes = 0;
  }

  #makeRoom(bytes: number): void {
    for (const [key, kernel] of this.#kernels) {
      if (this.#bytes + bytes <= this.#mostBytes) return;
      // Destroying a kernel of WebGL takes its results along.
      if (kernel.resultsInUse > 0) continue;
      this.#kernels.delete(key);
      this.#bytes -= kernel.bytes;
      kernel.call.destroy();
    }
  }
}

/** What gpu.js keeps: the result, and arrays of the host both there and on the device. */
function bytesHeldFor(program: Program): number {
  const inputs = program.sizes.map((size) => (size === null ? 0 : size[0] * size[1] * size[2]));
  return 16 * texelCount(program) + 8 * inputs.reduce((sum, numbers) => sum + numbers, 0);
}
