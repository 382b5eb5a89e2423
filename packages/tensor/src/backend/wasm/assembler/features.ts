/** What the machine's WebAssembly can do beyond SIMD. */
export interface Features {
  /** Relaxed SIMD: multiply and add in one instruction with one rounding. */
  readonly fma: boolean;
  /**
   * Float32 that are computed at once: 8 where the engine packs pairs of vectors into 256 bits, else
   * 4. Results must not depend on it.
   */
  readonly lanes: 4 | 8;
}
