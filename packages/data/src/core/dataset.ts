import type { Generator, Tensor } from '@firelight/tensor';
import type { Image } from './image.ts';
import type { Recipe } from './recipe.ts';

/** One image `[H, W, C]` of bytes or floats, and its class number. */
export interface Sample {
  readonly image: Image;
  readonly label: number;
}

/** Samples that can be read in any order, untransformed; `batches` makes batches of them. */
export interface Dataset {
  /** Number of samples. */
  readonly length: number;
  /** Sample `index`, 0 ≤ index < length; a promise if it must be read first. */
  get(index: number): Sample | Promise<Sample>;
  /** What sample `index` is called in messages, such as the name of its file. */
  describe?(index: number): string;
  /** How a worker thread makes an equal data set; without it there can be no workers. */
  recipe?(): Recipe;
}

/**
 * What a network is trained on: `image` `[N, C, H, W]` float32 and `label` `[N]` int32, or
 * probabilities `[N, classes]` float32 after `OneHot`, `Mixup` or `CutMix`.
 */
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
  /** Epochs in one pass; each begins as a pass of its own would. */
  readonly repeat: number;
  /** Decides order and random transforms; its state before an epoch is all that a rerun needs. */
  readonly generator: Generator;
  /**
   * One pass without its first `batch` batches, which are not loaded. With the generator in the state
   * in which it was when a pass began, this is the rest of that pass, whatever epoch of it `batch`
   * lies in. With the state in which it was when an epoch of the pass began, and a batch of that epoch,
   * the rest of that epoch comes first.
   *
   * @throws ValueError unless 0 ≤ batch ≤ batchesPerEpoch · repeat
   */
  from(batch: number): AsyncIterable<Batch>;
}
