import { BackendError } from '../../core/errors.ts';
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
  type GpuMode,
  KERNEL_CLASSES,
  type KernelClass,
} from './gpu-js.ts';
import { type CachedKernel, KernelCache } from './kernel-cache.ts';
import { type Dialect, defineProgram, type Program, texelCount } from './programs/program.ts';
import { describeRenderer } from './renderer.ts';

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

/** A first kernel, to see which class runs it and whether it keeps float32. */
const PROBE = defineProgram('probe', {
  output: [2, 1, 1],
  parameters: { x: [2, 1, 1] },
  body: 'const v = x[0][0][this.thread.x]; return [v, v * 3.0, v + 1.0, 0.1];',
});

/** gpu.js in this thread, in one of the modes that answer at once. */
export class LocalDevice implements Device {
  readonly id = nextDeviceId();
  readonly description: DeviceDescription;
  readonly dialect: Dialect;
  readonly maxTexels: number;
  readonly limit: string;
  readonly maxPlanes = Number.POSITIVE_INFINITY;
  readonly #lib: GpuJs;
  readonly #gpu: Gpu;
  readonly #kernels: KernelCache;
  readonly #kernelClass: KernelClass;

  /** @throws BackendError if this mode computes something else than float32 here */
  constructor(lib: GpuJs, mode: GpuMode) {
    this.#lib = lib;
    this.#gpu = new lib.GPU({ mode });
    this.#kernels = new KernelCache(this.#gpu);
    this.#kernelClass = lib[KERNEL_CLASSES[mode]];
    const isGl = mode === 'webgl2' || mode === 'headlessgl';
    this.dialect = isGl ? 'texture' : 'buffer';
    // A texture is nearly a square: one row less leaves room for the last, incomplete one.
    const side = isGl ? (this.#kernelClass.features?.maxTextureSize ?? 0) : Infinity;
    this.maxTexels = Math.min((side - 1) ** 2, MAXIMUM_INDEX);
    this.limit =
      this.maxTexels === MAXIMUM_INDEX
        ? 'indices in a kernel are exact up to 2^24'
        : `textures have at most ${side} × ${side} texels`;
    this.#probe();
    this.description = {
      mode,
      kernelClass: KERNEL_CLASSES[mode],
      ...describeRenderer(mode, this.#gpu.context),
    };
  }

  run(program: Program, values: readonly (DeviceArray | Float32Array)[]): DeviceArray {
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
    this.#expectContext();
    return value.renderValues().subarray(0, 4 * texels);
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
    const values = new Float32Array([1.2345678, 16_777_215]);
    const result = this.run(PROBE, [values]);
    const expected = Array.from(values).flatMap((v) => [v, v * 3, v + 1, 0.1]);
    const actual = this.read(result);
    this.free(result);
    const isExact = expected.every((value, i) => Math.abs(actual[i] - value) <= 2e-7 * value);
    if (!isExact) {
      throw new BackendError(
        `it does not compute in float32 here: ${Array.from(actual).join(', ')} instead of ` +
          expected.join(', '),
      );
    }
  }

  #expectContext(): void {
    if (this.#gpu.context?.isContextLost?.()) {
      throw new BackendError(
        'gpu: the browser took the GPU away (context lost), and what was on it is gone; ' +
          "reload the page, or use setBackend('wasm')",
      );
    }
  }
}
