import type { Generator, Tensor } from '@firelight/tensor';
import type { Image } from './image.ts';

/** One image `[H, W, C]` of bytes or floats, and its class number. */
export interface Sample {
  readonly image: Image;
  readonly label: number;
}

/** Samples that can be read in any order, untransformed; `batches` makes batches of them. */
export interface Dataset {
  /** Number of samples. */
  readonly length: number;
  /** Sample `index`, 0 ≤ index < length. */
  get(index: number): Sample;
}

/** What a network is trained on: `image` `[N, C, H, W]` float32 and `label` `[N]` int32. */
export interface Batch {
  readonly image: Tensor;
  readonly label: Tensor;
}

/** Batches that can be iterated again and again; every pass is one epoch (or `repeat` of them). */
export interface BatchSource extends AsyncIterable<Batch> {
  /** Samples in one epoch, before any remainder is dropped. */
  readonly length: number;
  /** Batches in one epoch. */
  readonly batchesPerEpoch: number;
  /** Decides order and random transforms; its state before an epoch is all that a rerun needs. */
  readonly generator: Generator;
  /**
   * One pass whose first epoch begins with batch `batch`; those before are not loaded. With the
   * generator in the state in which it was when an epoch began, this is the rest of that epoch.
   *
   * @throws ValueError unless 0 ≤ batch ≤ batchesPerEpoch
   */
  from(batch: number): AsyncIterable<Batch>;
}
