import type { Kernels } from './contract.ts';
import type { DeclinedCalls } from './declined.ts';
import type { BrowserWorker } from './worker-thread.ts';

/** What a user may choose about a backend; each backend knows its own options. */
export interface BackendOptions {
  /**
   * `wasm`: compute 3×3 convolutions by Winograd's algorithm where that is faster; true by default.
   * Its errors are about twice those of plain sums; the README of this package states them.
   */
  readonly winograd?: boolean;
  /**
   * `wasm`: multiply and add with one rounding where the engine can (relaxed SIMD); true by default.
   * Without it results have the same bits on every machine.
   */
  readonly relaxedSimd?: boolean;
  /**
   * `wasm`: whether to compute with 256-bit vectors where the engine and the processor have them: Node
   * from version 24 on x64 with AVX2. About twice as fast, with the same results to the bit. They are an
   * experiment of the engine, switched on for all WebAssembly that this process compiles from then on,
   * and used only where they compute a known product right and faster. Default true.
   */
  readonly wideVectors?: boolean;
  /**
   * `gpu`: how gpu.js runs kernels; by default the first of `'webgl2'` (browsers),
   * `'headlessgl'` (Node with a display) and `'webgpu'` that has a GPU, or else the first that there is.
   * `'webasm'` and `'cpu'` are its substitutes without a GPU, for tests.
   */
  readonly mode?: 'webgl2' | 'headlessgl' | 'webgpu' | 'webasm' | 'cpu';
  /**
   * `gpu`: leave results on the device until the CPU asks for them; true by default. Without it they
   * are read at once, which takes less of its memory.
   */
  readonly keepOnDevice?: boolean;
  /**
   * `gpu`, mode `webgpu` in Node: a module that makes `navigator.gpu`, such as
   * `import.meta.resolve('webgpu')` after `npm install webgpu`.
   */
  readonly webgpuModule?: string;
  /** `gpu`, mode `webgpu` in a browser: starts the worker `@firelight/tensor/webgpu-worker`. */
  readonly createWorker?: () => BrowserWorker;
}

/**
 * A backend: its own kernels, and where calls go for those it lacks. One of your own is made known by
 * `registerBackend`.
 */
export interface Backend<Options extends object = object> {
  readonly name: string;
  /** Its kernels; those of `wasm` and `reference` are in families, so that bundlers leave some out. */
  readonly kernels: Partial<Kernels>;
  /** Calls of its kernels that it leaves to the next backend in the chain; none by default. */
  readonly declined?: DeclinedCalls;
  /** The options that it knows; none by default. */
  readonly options?: readonly (keyof Options & string)[];
  /**
   * The next backend in the chain, or, where that cannot run, the one after it; only `reference`,
   * which is complete, has none.
   */
  readonly fallback: string | null;
  /** Why it cannot run here; null, as without this method, if it can. */
  whyNot?(): string | null;
  /**
   * One line: what runs, on what, with which options.
   *
   * @param fallback the next backend in the chain here
   */
  describe(fallback: string | null): string;
  /**
   * Prepares the backend, anew if options change.
   *
   * @throws BackendError that says why it cannot run here
   */
  start(options: Options): Promise<void>;
}

/** A backend of whatever options: their names are checked before it is started. */
export type AnyBackend = Backend<never>;

/** A backend that `'auto'` may choose. */
export interface AutomaticBackend extends Backend<BackendOptions> {
  /** Starts it, unless it is to be passed over here: then it says why. */
  startAutomatically(options: BackendOptions): Promise<string | null>;
}
