import { FirelightError, Generator, type GeneratorState, ShapeError } from '@firelight/tensor';
import { printablePath } from '@firelight/tensor/extend';
import type { BatchArrays, BatchTransform } from '../batch-transforms/batch-transform.ts';
import { refuse } from '../core/check.ts';
import type { Dataset, Sample } from '../core/dataset.ts';
import { DataError } from '../core/errors.ts';
import { checkImage, describeImage, type Image } from '../core/image.ts';
import { type TransformFunction, type TransformLike, toFunction } from '../transforms/transform.ts';
import { giveTurn } from './event-loop.ts';

/** One batch to be made; a plain object, so that it can be sent to a worker thread. */
export interface Job {
  /** Number of the batch in its epoch. */
  readonly batch: number;
  /** The samples. */
  readonly indices: Uint32Array;
  /** The epoch's stream of random numbers. */
  readonly generator: GeneratorState;
}

/** Makes batches of a data set, on whichever thread it is. */
export class BatchMaker {
  readonly #dataset: Dataset;
  readonly #transform: TransformFunction;
  readonly #batchTransforms: readonly BatchTransform[];

  constructor(
    dataset: Dataset,
    transform: TransformLike,
    batchTransforms: readonly BatchTransform[],
  ) {
    this.#dataset = dataset;
    this.#transform = toFunction(transform);
    this.#batchTransforms = batchTransforms;
  }

  /**
   * @param target the images are written into it if it has the right length
   * @throws ShapeError if images are not `[C, H, W]` or of different shapes; errors of the data set
   *   and the transforms, with the sample's number
   */
  async make({ batch, indices, generator }: Job, target?: Float32Array): Promise<BatchArrays> {
    const count = indices.length;
    const first = await this.#sample(indices[0], generator);
    const { channels, height, width, data } = first.image;
    const length = data.length;
    const isRightTarget = target?.length === count * length;
    const pixels = isRightTarget ? target : new Float32Array(count * length);
    const labels = new Int32Array(count);
    for (const [position, index] of indices.entries()) {
      const place = pixels.subarray(position * length, (position + 1) * length);
      const { image, label } = position === 0 ? first : await this.#sample(index, generator, place);
      if (!hasSameShape(image, first.image)) {
        throw new ShapeError(
          `batches: all images of a batch need one shape, but ${this.#name(indices[0])} is ` +
            `${describeImage(first.image)} and ${this.#name(index)} is ${describeImage(image)}; ` +
            'let the transform resize or crop to [height, width]',
        );
      }
      if (image.data !== place) place.set(image.data);
      labels[position] = label;
    }
    let arrays: BatchArrays = {
      pixels,
      imageShape: [count, channels, height, width],
      labels,
      labelShape: [count],
    };
    const own = Generator.fromState(sectionOf(generator, batch, 1));
    for (const transform of this.#batchTransforms) arrays = transform.apply(arrays, own);
    return arrays;
  }

  /** The transformed sample, in `target` if the transform can, checked to be `[C, H, W]`. */
  async #sample(index: number, generator: GeneratorState, target?: Float32Array): Promise<Sample> {
    const turn = giveTurn();
    if (turn !== null) await turn;
    try {
      const read = this.#dataset.get(index);
      const { image, label } = checkSample(read instanceof Promise ? await read : read);
      const own = Generator.fromState(sectionOf(generator, index, 0));
      const transformed = this.#transform(image, own, target);
      checkImage('batches', transformed);
      if (transformed.layout !== 'CHW') {
        throw new ShapeError(
          `a network needs [C, H, W], but the image is ${describeImage(transformed)} after the ` +
            'transform; add HWC2CHW as its last step',
        );
      }
      return { image: transformed, label };
    } catch (error) {
      throw withSample(error, this.#name(index));
    }
  }

  #name(index: number): string {
    const name = this.#dataset.describe?.(index);
    return name === undefined ? `image ${index}` : `image ${index} (${printablePath(name)})`;
  }
}

/** @throws ValueError for what is no sample, or a label that is no class number */
function checkSample(sample: Sample): Sample {
  const isObject = typeof sample === 'object' && sample !== null;
  if (!isObject) refuse('what the data set gives', 'a sample { image, label }', sample);
  const { label } = sample;
  const isLabel = Number.isInteger(label) && (label | 0) === label;
  if (!isLabel) refuse('label', 'an integer of 32 bits', label);
  return sample;
}

/** The error with the sample's name in front; its class stays if it is one of ours. */
function withSample(error: unknown, sample: string): Error {
  if (error instanceof FirelightError) {
    error.message = `batches: ${sample}: ${error.message}`;
    return error;
  }
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new DataError(`batches: ${sample}: ${reason}`, { cause: error });
}

/**
 * Section `number` of a stream: the same key, 2^64 counter blocks away from its neighbours. Samples
 * have those of kind 0, batches those of kind 1.
 */
function sectionOf({ key, counter }: GeneratorState, number: number, kind: 0 | 1): GeneratorState {
  return { key, counter: [0, 0, (counter[2] + number) >>> 0, (counter[3] + kind) >>> 0] };
}

function hasSameShape(a: Image, b: Image): boolean {
  return a.channels === b.channels && a.height === b.height && a.width === b.width;
}
