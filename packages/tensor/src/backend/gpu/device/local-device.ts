import { BackendError } from '../../../core/errors.ts';
import { type Dialect, MAXIMUM_QUOTIENT, type Program, texelCount } from '../programs/program.ts';
import {
  type Device,
  type DeviceArray,
  type DeviceDescription,
  MAXIMUM_INDEX,
  nextDeviceId,
} from './device.ts';
import {
  type GlTexture,
  type Gpu,
  type GpuJs,
  KERNEL_CLASSES,
  type KernelClass,
} from './gpu-js.ts';
import { type CachedKernel, KernelCache } from './kernel-cache.ts';
import type { LocalMode } from './modes.ts';
import { complaintAboutProbe, PROBE, PROBE_VALUES } from './probe.ts';
import { describeRenderer } from './renderer.ts';

/** `OUT_OF_MEMORY` of WebGL. */
const OUT_OF_MEMORY = 0x0505;

/** gpu.js gives a kernel in WebAssembly 256 MiB for all its arrays. */
const WEBASSEMBLY_TEXELS = 2 ** 22;

/** Texels in a texture, or in a flat array where there are no textures. */
class LocalArray implements DeviceArray {
  readonly texels: number;
  readonly value: GlTexture | Float32Array;
  readonly kernel: CachedKernel;

  constructor(texels: number, value: GlTexture | Float32Array, kernel: CachedKernel) {
    this.texels = texels;
    this.value = value;
    this.kernel = kernel;
  }
}

/** Puts the numbers of nested arrays one after the other; returns the next free place. */
function flatten(values: unknown, target: Float32Array, start: number): number {
  if (values instanceof Float32Array) {
    target.set(values, start);
    return start + values.length;
  }
  return (values as readonly unknown[]).reduce<number>(
    (next, value) => flatten(value, target, next),
    start,
  );
}

/** Most texels in one array, and what bounds them. */
function limitsOf(mode: LocalMode, { features }: KernelClass) {
  if (mode === 'webasm') {
    return { maxTexels: WEBASSEMBLY_TEXELS, limit: 'gpu.js gives WebAssembly 256 MiB' };
  }
  // A texture is nearly a square: one row less leaves room for the last, incomplete one.
  const side = mode === 'cpu' ? Number.POSITIVE_INFINITY : (features?.maxTextureSize ?? 0);
  const inTexture = (side - 1) ** 2;
  return inTexture < MAXIMUM_INDEX
    ? { maxTexels: inTexture, limit: `textures have at most ${side} × ${side} texels` }
    : { maxTexels: MAXIMUM_INDEX, limit: 'indices in a kernel are exact up to 2^24' };
}

/** gpu.js in this thread, in one of the modes that answer at once. */
export class LocalDevice implements Device {
  readonly id = nextDeviceId();
  readonly description: DeviceDescription;
  readonly dialect: Dialect;
  readonly maxTexels: number;
  readonly limit: string;
  readonly maxPlanes = MAXIMUM_QUOTIENT;
  readonly #lib: GpuJs;
  readonly #gpu: Gpu;
  readonly #kernels: KernelCache;
  readonly #kernelClass: KernelClass;
  #problem: string | null = null;

  /**
   * @param mostBytes what idle kernels may hold; see `KernelCache`
   * @throws BackendError if this mode computes something else than float32 here
   */
  constructor(lib: GpuJs, mode: LocalMode, mostBytes?: number) {
    this.#lib = lib;
    this.#gpu = new lib.GPU({ mode });
    this.#kernels = new KernelCache(this.#gpu, mostBytes);
    this.#kernelClass = lib[KERNEL_CLASSES[mode]];
    this.dialect = mode === 'webgl2' || mode === 'headlessgl' ? 'texture' : 'buffer';
    const { maxTexels, limit } = limitsOf(mode, this.#kernelClass);
    this.maxTexels = maxTexels;
    this.limit = limit;
    this.#probe();
    this.description = { mode, ...describeRenderer(mode, this.#gpu.context) };
  }

  get problem(): string | null {
    if (this.#gpu.context?.isContextLost?.()) {
      return 'the browser took the GPU away (context lost), and what was on it is gone';
    }
    return this.#problem;
  }

  run(program: Program, values: readonly (DeviceArray | Float32Array)[]): DeviceArray {
    this.#expectNoProblem();
    const kernel = this.#kernels.kernelFor(program);
    const texels = texelCount(program);
    const result = this.#call(program, kernel, values);
    kernel.resultsInUse++;
    if (this.dialect === 'texture') return new LocalArray(texels, result as GlTexture, kernel);
    const flat = new Float32Array(4 * texels);
    flatten(result, flat, 0);
    return new LocalArray(texels, flat, kernel);
  }

  read(array: DeviceArray): Float32Array {
    const { value, texels } = array as LocalArray; // As `run` made it.
    if (value instanceof Float32Array) return value;
    this.#expectNoProblem();
    const numbers = value.renderValues().subarray(0, 4 * texels);
    this.#noteError();
    this.#expectNoProblem();
    return numbers;
  }

  free(array: DeviceArray): void {
    const { value, kernel } = array as LocalArray; // As `run` made it.
    kernel.resultsInUse--;
    if (!(value instanceof Float32Array)) value.delete();
  }

  #call(
    { name, sizes }: Program,
    { call }: CachedKernel,
    values: readonly (DeviceArray | Float32Array)[],
  ): unknown {
    const inputs = values.map((value, i) => {
      const size = sizes[i];
      if (value instanceof Float32Array) return this.#lib.input(value, size ?? [value.length]);
      const { value: elements, texels } = value as LocalArray; // As `run` made it.
      if (!(elements instanceof Float32Array)) return elements;
      return this.#lib.input(elements, [4, texels]);
    });
    let result: unknown;
    try {
      result = call(...inputs);
    } catch (error) {
      this.#expectNoProblem();
      throw new BackendError(`gpu: gpu.js refuses '${name}': ${(error as Error).message}`);
    }
    if (call.kernel.constructor !== this.#kernelClass) {
      throw new BackendError(
        `gpu: gpu.js would run '${name}' on another device` +
          `${call.kernel.fallbackReason ? `: ${call.kernel.fallbackReason}` : ''}; use 'wasm'`,
      );
    }
    return result;
  }

  #probe(): void {
    const result = this.run(PROBE, [PROBE_VALUES]);
    const complaint = complaintAboutProbe(this.read(result));
    this.free(result);
    if (complaint !== null) throw new BackendError(complaint);
  }

  /**
   * WebGL does not throw: what it could not do, for example because memory is full, leaves zeros, and it
   * tells so once. From then on nothing here can be relied on.
   */
  #noteError(): void {
    const { context } = this.#gpu;
    const error = context?.getError() ?? 0;
    if (context === null || error === context.NO_ERROR) return;
    const isMemory = error === OUT_OF_MEMORY;
    this.#problem =
      `WebGL reports error ${error}${isMemory ? ' (out of memory)' : ''}, and what is on the ` +
      `device may be wrong${isMemory ? '; use smaller batches or keepOnDevice: false' : ''}`;
    this.#kernels.destroyAll();
  }

  #expectNoProblem(): void {
    const { problem } = this;
    if (problem === null) return;
    throw new BackendError(`gpu: ${problem}; call setBackend('gpu') again, or use 'wasm'`);
  }
}
