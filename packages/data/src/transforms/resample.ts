import type { PixelData } from '../core/image.ts';

/** Sides of an `[H, W, C]` image. */
export interface Size {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Resamples `[H, W, C]` images of one fixed size to another; the element type stays. */
export interface Resampler {
  resample(source: PixelData): PixelData;
  /**
   * The same for bytes, where instead of value `v` of channel `c` stands `tables[c][v]`, as
   * `[C, H, W]` in `planes`; where this can be done in one go.
   */
  lookUpInPlanes?(source: Uint8Array, tables: readonly Float32Array[], planes: Float32Array): void;
}
