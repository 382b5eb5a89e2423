import { type BrowserWorker, Generator, tensor, ValueError } from '@firelight/tensor';
import { describeValue, expectInteger, expectThat } from '@firelight/tensor/extend';
import type { BatchArrays, BatchTransform } from '../batch-transforms/batch-transform.ts';
import { expectFlag, expectOptions } from '../core/check.ts';
import type { Batch, BatchSource, Dataset } from '../core/dataset.ts';
import { recipeOf } from '../core/recipe.ts';
import { isTransform, type TransformLike } from '../transforms/transform.ts';
import { BatchMaker, type Job } from './batch-maker.ts';
import { giveTurn } from './event-loop.ts';
import { LoaderPool } from './pool.ts';

/** How samples become batches. */
export interface BatchOptions {
  /** Takes the sample's image to the network's `[C, H, W]`. Default: none. */
  readonly transform?: TransformLike;
  /** Applied to whole batches after that, in order: `OneHot`, `Mixup`, `CutMix`. Default: none. */
  readonly batchTransforms?: readonly BatchTransform[];
  /** Samples in a batch. Default 32. */
  readonly batchSize?: number;
  /** Whether every epoch has a new random order. Default false. */
  readonly shuffle?: boolean;
  /**
   * Epochs in one iteration, a whole number ≥ 1 or Infinity. Each has its own order and random
   * transforms, and its own last batch, short or dropped, as if it were iterated alone. Default 1.
   */
  readonly repeat?: number;
  /** Whether a last batch that is not full is left out. Default false. */
  readonly dropRemainder?: boolean;
  /** Default `new Generator(0)`. */
  readonly generator?: Generator;
  /** Threads that make batches ahead; 0, the default, makes each when it is asked for. */
  readonly workers?: number;
  /**
   * Starts a thread in a browser, where only the bundler knows the address of the module
   * `@firelight/data/worker`. Default: Node's own threads.
   */
  readonly createWorker?: () => BrowserWorker;
  /** Batches that are made ahead with workers. Default twice their number. */
  readonly prefetch?: number;
}

/**
 * Batches of a data set, made when they are asked for, or ahead on worker threads.
 *
 * Each epoch takes two streams from `generator`: one for the order, and one in which every sample
 * and every batch has its own section. So neither the order of work, nor the number of workers, nor
 * the batch size changes what a random transform does to a sample.
 *
 * An iteration lets timers, signals and input have their turn at least every 100 ms, or between two
 * images where one takes longer, however long the loop over it is at its own work.
 *
 * Workers live as long as an iteration. At most `prefetch` batches lie ready, in memory that is used
 * again and again; each batch that you get is a copy. The workers build their own data set and
 * transforms by their `Recipe`.
 *
 * @throws ValueError if an option is of the wrong type or out of its range; when iterated, if no batch is left or there
 *   is no recipe
 * @throws ShapeError when iterated, if images are not `[C, H, W]` or of different shapes
 */
export function batches(dataset: Dataset, options: BatchOptions = {}): BatchSource {
  return new DatasetBatches(dataset, options);
}

/** Samples are counted in 32 bits. */
const MOST_SAMPLES = 2 ** 31 - 1;
/** Each is a thread of its own. */
const MOST_WORKERS = 256;

class DatasetBatches implements BatchSource {
  readonly generator: Generator;
  readonly repeat: number;
  readonly #dataset: Dataset;
  readonly #options: BatchOptions;
  readonly #batchSize: number;
  readonly #workers: number;
  readonly #prefetch: number;

  constructor(dataset: Dataset, options: BatchOptions) {
    const { batchSize = 32, repeat = 1, workers = 0 } = checkOptions(dataset, options);
    expectInteger('batches', 'batchSize', batchSize, 1);
    const isRepeat = repeat === Infinity || (Number.isInteger(repeat) && repeat >= 1);
    expectThat(isRepeat, 'batches', 'repeat', 'an integer ≥ 1 or Infinity', repeat);
    expectInteger('batches', 'workers', workers, 0);
    expectThat(workers <= MOST_WORKERS, 'batches', 'workers', `at most ${MOST_WORKERS}`, workers);
    const { prefetch = 2 * workers } = options;
    expectInteger('batches', 'prefetch', prefetch, workers === 0 ? 0 : 1);
    this.generator = options.generator ?? new Generator(0);
    this.#dataset = dataset;
    this.#options = options;
    this.#batchSize = batchSize;
    this.repeat = repeat;
    this.#workers = workers;
    this.#prefetch = prefetch;
  }

  get length(): number {
    return this.#dataset.length;
  }

  get batchesPerEpoch(): number {
    const batchCount = this.length / this.#batchSize;
    return this.#options.dropRemainder === true ? Math.floor(batchCount) : Math.ceil(batchCount);
  }

  [Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    return this.from(0);
  }

  async *from(batch: number): AsyncGenerator<Batch, void, undefined> {
    const { length, repeat } = this;
    expectInteger('batches', 'length of the data set', length, 1);
    const rule = `at most ${MOST_SAMPLES}`;
    expectThat(length <= MOST_SAMPLES, 'batches', 'length of the data set', rule, length);
    const { batchesPerEpoch } = this;
    if (batchesPerEpoch === 0) {
      throw new ValueError(
        `batches: ${length} samples do not fill one batch of ${this.#batchSize}, so ` +
          'dropRemainder leaves nothing; take a smaller batchSize or dropRemainder: false',
      );
    }
    const count = batchesPerEpoch * repeat;
    if (!Number.isSafeInteger(batch) || batch < 0 || batch > count) {
      throw new ValueError(
        `batches: a pass cannot begin with batch ${describeValue(batch)}; it has ${count}, counted from 0`,
      );
    }
    const pool = this.#workers === 0 ? null : this.#startPool();
    try {
      for (let epoch = 0; epoch < repeat; epoch++) {
        const streams = this.generator.split(2);
        const first = Math.max(batch - epoch * batchesPerEpoch, 0);
        if (first >= batchesPerEpoch) {
          await giveTurn();
          continue;
        }
        const jobs = this.#epoch(first, streams);
        yield* pool === null ? this.#makeHere(jobs) : this.#makeThere(jobs, pool);
      }
    } finally {
      await pool?.close();
    }
  }

  async *#makeHere(jobs: Iterable<Job>): AsyncGenerator<Batch, void, undefined> {
    const { transform = (image) => image, batchTransforms = [] } = this.#options;
    const maker = new BatchMaker(this.#dataset, transform, batchTransforms);
    // A transform of the user may hold what it gave, and write to it when it makes the next batch.
    const copy = batchTransforms.length > 0;
    for (const job of jobs) yield toTensors(await maker.make(job), { copy });
  }

  async *#makeThere(jobs: Iterator<Job>, pool: LoaderPool): AsyncGenerator<Batch, void, undefined> {
    const ahead: ReturnType<LoaderPool['load']>[] = [];
    const order = (): boolean => {
      const { value, done } = jobs.next();
      if (done !== true) ahead.push(pool.load(value));
      return done !== true;
    };
    for (let i = 0; i < this.#prefetch && order(); i++);
    for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) {
      await giveTurn();
      const { arrays, release } = await next;
      const { pixels, labels } = arrays;
      const own = { ...arrays, pixels: pixels.slice(), labels: labels.slice() };
      const batch = toTensors(own, { copy: false });
      release();
      order();
      yield batch;
    }
  }

  #startPool(): LoaderPool {
    const { transform, batchTransforms = [], createWorker } = this.#options;
    const setup = {
      dataset: recipeOf(this.#dataset),
      transform: transform === undefined ? null : recipeOf(transform),
      batchTransforms: batchTransforms.map(recipeOf),
    };
    return LoaderPool.start(this.#workers, setup, createWorker);
  }

  /** The batches of an epoch from number `first` on. */
  *#epoch(
    first: number,
    [orderGenerator, sampleGenerator]: readonly Generator[],
  ): IterableIterator<Job> {
    const { length } = this;
    const generator = sampleGenerator.state();
    const order =
      this.#options.shuffle === true
        ? orderGenerator.permutation(length)
        : Uint32Array.from({ length }, (_, index) => index);
    for (let batch = first; batch < this.batchesPerEpoch; batch++) {
      const start = batch * this.#batchSize;
      yield { batch, indices: order.slice(start, start + this.#batchSize), generator };
    }
  }
}

/** Checks everything but the numbers. */
function checkOptions(dataset: Dataset, options: BatchOptions): BatchOptions {
  const isDataset = typeof (dataset as Partial<Dataset> | null | undefined)?.get === 'function';
  expectThat(isDataset, 'batches', 'dataset', 'an object with length and get', dataset);
  const { transform, batchTransforms = [], generator } = expectOptions('batches', options);
  const { shuffle, dropRemainder, createWorker } = options;
  const isStep = transform === undefined || isTransform(transform);
  expectThat(isStep, 'batches', 'transform', 'a transform or a function', transform);
  const areSteps =
    Array.isArray(batchTransforms) &&
    batchTransforms.every((step) => typeof step?.apply === 'function');
  expectThat(areSteps, 'batches', 'batchTransforms', 'a list of transforms', batchTransforms);
  expectFlag('batches: shuffle', shuffle);
  expectFlag('batches: dropRemainder', dropRemainder);
  const isGenerator = generator === undefined || generator instanceof Generator;
  expectThat(isGenerator, 'batches', 'generator', 'a Generator', generator);
  const isStarter = createWorker === undefined || typeof createWorker === 'function';
  expectThat(isStarter, 'batches', 'createWorker', 'a function', createWorker);
  return options;
}

function toTensors(
  { pixels, imageShape, labels, labelShape }: BatchArrays,
  { copy }: { copy: boolean },
): Batch {
  return {
    image: tensor(pixels, { shape: imageShape, copy }),
    label: tensor(labels, { shape: labelShape, copy }),
  };
}
