import { Generator, ShapeError, tensor, ValueError } from '@firelight/tensor';
import type { Batch, BatchSource, Dataset, Sample } from './dataset.ts';
import { checkImage, describeImage, type Image } from './image.ts';
import { type TransformFunction, type TransformLike, toFunction } from './transforms/transform.ts';

/** How samples become batches. */
export interface BatchOptions {
  /** Takes the sample's image to the network's `[C, H, W]`. Default: none. */
  readonly transform?: TransformLike;
  /** Samples in a batch. Default 32. */
  readonly batchSize?: number;
  /** Whether every epoch has a new random order. Default false. */
  readonly shuffle?: boolean;
  /** Epochs in one iteration, a whole number ≥ 1 or Infinity. Default 1. */
  readonly repeat?: number;
  /** Whether a last batch that is not full is left out. Default false. */
  readonly dropRemainder?: boolean;
  /** Default `new Generator(0)`. */
  readonly generator?: Generator;
}

/**
 * Batches of a data set, made when they are asked for.
 *
 * Each epoch takes two streams from `generator`: one for the order, and one in which every sample
 * has its own section, found by its index. So neither the order of work nor the batch size changes
 * what a random transform does to a sample.
 *
 * @throws ValueError if a number is out of its range; when iterated, if no batch is left
 * @throws ShapeError when iterated, if images are not `[C, H, W]` or of different shapes
 */
export function batches(dataset: Dataset, options: BatchOptions = {}): BatchSource {
  return new DatasetBatches(dataset, options);
}

class DatasetBatches implements BatchSource {
  readonly generator: Generator;
  readonly #dataset: Dataset;
  readonly #transform: TransformFunction;
  readonly #batchSize: number;
  readonly #shuffle: boolean;
  readonly #repeat: number;
  readonly #dropRemainder: boolean;

  constructor(
    dataset: Dataset,
    {
      transform = (image) => image,
      batchSize = 32,
      shuffle = false,
      repeat = 1,
      dropRemainder = false,
      generator = new Generator(0),
    }: BatchOptions,
  ) {
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ValueError(`batches: batchSize must be an integer ≥ 1, got ${batchSize}`);
    }
    if (!(Number.isInteger(repeat) || repeat === Infinity) || repeat < 1) {
      throw new ValueError(`batches: repeat must be an integer ≥ 1 or Infinity, got ${repeat}`);
    }
    this.generator = generator;
    this.#dataset = dataset;
    this.#transform = toFunction(transform);
    this.#batchSize = batchSize;
    this.#shuffle = shuffle;
    this.#repeat = repeat;
    this.#dropRemainder = dropRemainder;
  }

  get length(): number {
    return this.#dataset.length;
  }

  get batchesPerEpoch(): number {
    const batchCount = this.length / this.#batchSize;
    return this.#dropRemainder ? Math.floor(batchCount) : Math.ceil(batchCount);
  }

  [Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    return this.from(0);
  }

  async *from(batch: number): AsyncGenerator<Batch, void, undefined> {
    if (!Number.isInteger(batch) || batch < 0 || batch > this.batchesPerEpoch) {
      throw new ValueError(
        `batches: an epoch cannot begin with batch ${batch}; it has ${this.batchesPerEpoch}, ` +
          'counted from 0',
      );
    }
    for (let epoch = 0; epoch < this.#repeat; epoch++) yield* this.#epoch(epoch === 0 ? batch : 0);
  }

  *#epoch(first: number): IterableIterator<Batch> {
    const { length } = this;
    if (this.batchesPerEpoch === 0) {
      throw new ValueError(
        `batches: ${length} samples do not fill one batch of ${this.#batchSize}, so dropRemainder ` +
          'leaves nothing; take a smaller batchSize or dropRemainder: false',
      );
    }
    const [orderGenerator, sampleGenerator] = this.generator.split(2);
    const order = this.#shuffle
      ? orderGenerator.permutation(length)
      : Uint32Array.from({ length }, (_, index) => index);
    for (let batch = first; batch < this.batchesPerEpoch; batch++) {
      const start = batch * this.#batchSize;
      yield this.#collate(order.subarray(start, start + this.#batchSize), sampleGenerator);
    }
  }

  #collate(indices: Uint32Array, sampleGenerator: Generator): Batch {
    const count = indices.length;
    const first = this.#sample(indices[0], sampleGenerator);
    const { channels, height, width, data } = first.image;
    const pixels = new Float32Array(count * data.length);
    const labels = new Int32Array(count);
    for (const [position, index] of indices.entries()) {
      const target = pixels.subarray(position * data.length, (position + 1) * data.length);
      const { image, label } =
        position === 0 ? first : this.#sample(index, sampleGenerator, target);
      if (!hasSameShape(image, first.image)) {
        throw new ShapeError(
          `batches: all images of a batch need one shape, but image ${indices[0]} is ` +
            `${describeImage(first.image)} and image ${index} is ${describeImage(image)}; ` +
            'let the transform resize or crop to [height, width]',
        );
      }
      if (image.data !== target) target.set(image.data);
      labels[position] = label;
    }
    return {
      image: tensor(pixels, { shape: [count, channels, height, width] }),
      label: tensor(labels, { shape: [count] }),
    };
  }

  /** The transformed sample, in `target` if the transform can, checked to be `[C, H, W]`. */
  #sample(index: number, sampleGenerator: Generator, target?: Float32Array): Sample {
    const { image, label } = this.#dataset.get(index);
    const transformed = this.#transform(image, sectionOf(sampleGenerator, index), target);
    checkImage('batches', transformed);
    if (transformed.layout !== 'CHW') {
      throw new ShapeError(
        `batches: a network needs [C, H, W], but image ${index} is ${describeImage(transformed)} ` +
          'after the transform; add HWC2CHW as its last step',
      );
    }
    return { image: transformed, label };
  }
}

/** The stream of sample `index`: the same key, 2^64 counter blocks away from that of its neighbours. */
function sectionOf(generator: Generator, index: number): Generator {
  const { key, counter } = generator.state();
  return Generator.fromState({ key, counter: [0, 0, (counter[2] + index) >>> 0, counter[3]] });
}

function hasSameShape(a: Image, b: Image): boolean {
  return a.channels === b.channels && a.height === b.height && a.width === b.width;
}
