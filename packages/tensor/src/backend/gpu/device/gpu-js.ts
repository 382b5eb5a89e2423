import { BackendError } from '../../../core/errors.ts';
import type { BackendOptions } from '../../backend.ts';

/**
 * The part of gpu.js that is used here. Its own types stay out, so that users need neither them nor
 * the DOM's to compile against ours.
 */

/** Ways in which gpu.js can run a kernel. */
export type GpuMode = NonNullable<BackendOptions['mode']>;

/** The class of gpu.js that runs each mode; devices refuse results of any other. */
export const KERNEL_CLASSES = {
  webgl2: 'WebGL2Kernel',
  headlessgl: 'HeadlessGLKernel',
  webgpu: 'WebGPUKernel',
  webasm: 'WebAssemblyKernel',
  cpu: 'CPUKernel',
} as const satisfies Record<GpuMode, keyof GpuJs>;

/** What is used of a WebGL context. */
export interface GlContext {
  readonly NO_ERROR: number;
  readonly RENDERER: number;
  getError(): number;
  getExtension(name: 'WEBGL_debug_renderer_info'): { UNMASKED_RENDERER_WEBGL: number } | null;
  getParameter(parameter: number): unknown;
  isContextLost?(): boolean;
}

interface KernelSettings {
  readonly output: readonly number[];
  readonly precision: 'single';
  /** Results stay on the device… */
  readonly pipeline: boolean;
  /** …each in memory of its own. */
  readonly immutable: boolean;
}

/** What a pipeline kernel of WebGL returns. `renderValues` reads all texels at once. */
export interface GlTexture {
  renderValues(): Float32Array;
  delete(): void;
}

/** What a pipeline kernel of WebGPU returns. */
export interface WebGpuBuffer {
  readonly context: { readonly device: WebGpuDevice; readonly isLost?: boolean };
  componentCount: number;
  output: readonly number[];
  toArray(): Promise<readonly Float32Array[]>;
  delete(): void;
}

/** What is used of a device of WebGPU. */
interface WebGpuDevice {
  onuncapturederror: ((event: { readonly error: { readonly message: string } }) => void) | null;
}

/** The class of kernels of one mode. */
export interface KernelClass {
  readonly isSupported: boolean;
  readonly features: { readonly maxTextureSize: number } | null;
}

export interface GpuKernel {
  (...values: readonly unknown[]): unknown;
  /** The kernel that ran, which is of another class if gpu.js fell back. */
  readonly kernel: { readonly constructor: unknown; readonly fallbackReason?: string | null };
  destroy(): void;
}

export interface Gpu {
  readonly context: GlContext | null;
  createKernel(source: string, settings: KernelSettings): GpuKernel;
}

export interface GpuJs {
  readonly GPU: new (settings: { mode: GpuMode }) => Gpu;
  readonly WebGL2Kernel: KernelClass;
  readonly HeadlessGLKernel: KernelClass;
  readonly WebGPUKernel: KernelClass;
  readonly WebAssemblyKernel: KernelClass;
  readonly CPUKernel: KernelClass;
  /** A flat array with the lengths of its axes, the fastest first. */
  input(values: Float32Array, size: readonly number[]): unknown;
}

/**
 * gpu.js, loaded when first asked for: nothing of it runs for users of other backends.
 *
 * @throws BackendError if it is not installed
 */
export async function loadGpuJs(): Promise<GpuJs> {
  try {
    // CommonJS: what it exports is the default export, in browsers also a class.
    const module = (await import('gpu.js')) as unknown as { default: GpuJs };
    return module.default;
  } catch (error) {
    throw new BackendError(
      `gpu.js cannot be loaded (${(error as Error).message}); install gpu.js, or use 'wasm'`,
    );
  }
}
