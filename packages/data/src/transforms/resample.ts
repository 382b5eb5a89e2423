import type { PixelData } from '../image.ts';

/** Sides of an `[H, W, C]` image. */
export interface Size {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Resamples `[H, W, C]` images of one fixed size to another; the element type stays. */
export type Resampler = (source: PixelData) => PixelData;
