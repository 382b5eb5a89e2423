import type { Kernels } from './kernels.ts';

/** What a user may choose about a backend; each backend knows its own options. */
export interface BackendOptions {
  /**
   * `wasm`: compute 3×3 convolutions by Winograd's algorithm where that is faster; true by default.
   * Its errors are about 5e-6 of the output's RMS, those of the plain sum 1e-6.
   */
  readonly winograd?: boolean;
  /**
   * `wasm`: multiply and add with one rounding where the engine can (relaxed SIMD); true by default.
   * Without it results have the same bits on every machine.
   */
  readonly relaxedSimd?: boolean;
}

/** A backend: its own kernels, and where calls go for those it lacks. */
export interface Backend {
  readonly name: string;
  readonly kernels: Partial<Kernels>;
  /** The next backend in the chain; only `reference`, which is complete, has none. */
  readonly fallback: string | null;
  /** One line: what runs, on what, with which options. */
  describe(): string;
  /**
   * Prepares the backend, anew if options change.
   *
   * @throws BackendError that says why it cannot run here, or which option it does not know
   */
  start(options: BackendOptions): Promise<void>;
}
