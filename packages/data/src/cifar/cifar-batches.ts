import { describeValue, type Generator, ValueError } from '@firelight/tensor';
import { expectOptions, expectText, expectThat } from '../core/check.ts';
import type { Batch, BatchSource, Dataset, Sample } from '../core/dataset.ts';
import { type DownloadOptions, downloadArchive } from '../download/download.ts';
import { type BatchOptions, batches } from '../loader/batches.ts';
import { Compose } from '../transforms/compose.ts';
import { HWC2CHW } from '../transforms/hwc-to-chw.ts';
import { Normalize } from '../transforms/normalize.ts';
import { Rescale } from '../transforms/rescale.ts';
import type { CifarSplit } from './constants.ts';
import { type CifarForms, hasFiles, readRecords } from './files.ts';
import { CifarRecords } from './records.ts';
import { CifarSamples } from './samples.ts';

/** How a CIFAR data set is read and batched; one of `path` and `records` is needed. */
export interface CifarOptions extends BatchOptions {
  /** Folder with the files or with the archive's folder of them, or one file. */
  readonly path?: string;
  /** Records that are in memory already, in a browser for instance. */
  readonly records?: readonly CifarRecords[];
  /** Default `'train'`. */
  readonly split?: CifarSplit;
  /** Takes only so many images from the start of the split. */
  readonly limit?: number;
  /** Whether to fetch the published archive into `path` if files are missing. Default false. */
  readonly download?: boolean | DownloadOptions;
}

/** What tells the data sets of the CIFAR family from each other. */
export interface CifarKind {
  readonly forms: CifarForms;
  readonly labels: 'fine' | 'coarse';
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** What `Cifar10` and `Cifar100` have in common: reading when needed, samples, batches. */
export abstract class CifarBatches implements Dataset, BatchSource {
  readonly split: CifarSplit;
  readonly #kind: CifarKind;
  readonly #options: CifarOptions;
  readonly #batches: BatchSource;
  #samples: CifarSamples | undefined;
  #reading: Promise<void> | undefined;

  constructor(options: CifarOptions, kind: CifarKind) {
    const name = this.constructor.name;
    const { path, records, split = 'train', limit, download } = expectOptions(name, options);
    if ((path === undefined) === (records === undefined)) {
      throw new ValueError(`${name}: give path (a folder or a file) or records, one and not both`);
    }
    if (path !== undefined) expectText(`${name}: path`, path);
    if (records !== undefined) {
      const isRight =
        Array.isArray(records) && records.every((file) => file instanceof CifarRecords);
      expectThat(isRight, `${name}: records`, 'a list of CifarRecords', records);
    }
    const isSplit = typeof split === 'string' && Object.hasOwn(kind.forms[0].files, split);
    expectThat(isSplit, `${name}: split`, "'train', 'test' or 'all'", split);
    if (limit !== undefined && (!Number.isInteger(limit) || limit < 1)) {
      throw new ValueError(`${name}: limit must be an integer ≥ 1, got ${describeValue(limit)}`);
    }
    if (download !== undefined && typeof download !== 'boolean') {
      expectOptions(`${name}: download`, download);
    }
    this.split = split;
    this.#kind = kind;
    this.#options = options;
    this.#batches = batches(this, {
      ...options,
      transform: options.transform ?? defaultTransform(kind),
      shuffle: options.shuffle ?? split !== 'test',
    });
    if (records !== undefined) this.#hold(records);
  }

  /**
   * Reads the files, once; from then on `length`, `batchesPerEpoch` and `get` can be used.
   *
   * @throws DataError if files are missing, damaged or cannot be downloaded
   */
  async load(): Promise<this> {
    if (this.#samples !== undefined) return this;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
    return this;
  }

  /** Images in the split, or `limit`. */
  get length(): number {
    return this.#ready('length').length;
  }

  get batchesPerEpoch(): number {
    this.#ready('batchesPerEpoch');
    return this.#batches.batchesPerEpoch;
  }

  get repeat(): number {
    return this.#batches.repeat;
  }

  get generator(): Generator {
    return this.#batches.generator;
  }

  /** Image `index` as `[32, 32, 3]` bytes, untransformed, and its label. */
  get(index: number): Sample {
    return this.#ready('get').get(index);
  }

  /** How a worker thread makes the same samples, of the same memory where it can be shared. */
  recipe() {
    return this.#ready('recipe').recipe();
  }

  [Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    return this.from(0);
  }

  /** One pass without its first `batch` batches; see `BatchSource`. */
  async *from(batch: number): AsyncGenerator<Batch, void, undefined> {
    await this.load();
    yield* this.#batches.from(batch);
  }

  async #read(): Promise<void> {
    const { path = '', download = false } = this.#options;
    const { forms } = this.#kind;
    if (download !== false && !(await hasFiles(path, forms, this.split))) {
      await downloadArchive(path, forms, download === true ? {} : download);
    }
    this.#hold(await readRecords(path, forms, this.split));
  }

  #hold(records: readonly CifarRecords[]): void {
    const { forms, labels } = this.#kind;
    const { limit } = this.#options;
    this.#samples = new CifarSamples(
      records.map(({ table }) => table),
      { title: forms[0].title, limit, labels },
    );
  }

  #ready(member: string): CifarSamples {
    if (this.#samples === undefined) {
      throw new ValueError(
        `${this.constructor.name}: ${member} is known only after the files are read; ` +
          'await dataset.load() first',
      );
    }
    return this.#samples;
  }
}

function defaultTransform({ mean, std }: CifarKind): Compose {
  return new Compose([new Rescale(1 / 255, 0), new Normalize({ mean, std }), new HWC2CHW()]);
}
