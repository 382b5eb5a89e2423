import { type Generator, ValueError } from '@firelight/tensor';
import { expectInteger, expectThat } from '@firelight/tensor/extend';
import type { Archive, Forms } from '../archive/archive.ts';
import { downloadArchive } from '../archive/download.ts';
import type { ArchiveDownloadOptions } from '../archive/fetch-archive.ts';
import { type FileBytes, hasFiles, readFiles } from '../archive/files.ts';
import { expectOptions, expectText } from '../core/check.ts';
import type { Batch, BatchSource, Dataset, Sample } from '../core/dataset.ts';
import { recipeOf } from '../core/recipe.ts';
import { type BatchOptions, batches } from '../loader/batches.ts';
import type { TransformLike } from '../transforms/transform.ts';

/** How a published data set is read and batched. */
export interface PublishedOptions<Split extends string, Downloading = ArchiveDownloadOptions>
  extends BatchOptions {
  /** Folder with the files or with the archive's folder of them, or one file. */
  readonly path?: string;
  /** Default `'train'`, or the first split. */
  readonly split?: Split;
  /** Takes only so many images from the start of the split. */
  readonly limit?: number;
  /** Whether to fetch the published files into `path` if some are missing. Default false. */
  readonly download?: boolean | Downloading;
}

/** What tells one published data set from another. */
export interface PublishedKind<
  Split extends string,
  Form extends Archive<Split> = Archive<Split>,
  Downloading = ArchiveDownloadOptions,
> {
  readonly forms: Forms<Form>;
  /** The samples in the files of a split; `limit` is how many of them at most, if that was asked. */
  samples(files: readonly FileBytes<Form>[], limit: number | undefined): Dataset | Promise<Dataset>;
  /** What is done with each image unless the options say otherwise. */
  transform(): TransformLike;
  /** Default: fetches the first of `forms`. */
  download?(path: string, options: Downloading): Promise<string>;
}

/**
 * A data set as its authors published it: files that are found or fetched, read when they are needed,
 * and made into batches. A data set of your own extends it, and says in `kind` where its files are and
 * how to read them.
 */
export abstract class PublishedDataset<
  Split extends string,
  Form extends Archive<Split> = Archive<Split>,
  Downloading extends ArchiveDownloadOptions = ArchiveDownloadOptions,
> implements Dataset, BatchSource
{
  readonly split: Split;
  readonly #kind: PublishedKind<Split, Form, Downloading>;
  readonly #options: PublishedOptions<Split, Downloading>;
  readonly #batches: BatchSource;
  #samples: Dataset | undefined;
  #reading: Promise<void> | undefined;

  /**
   * @param samples those of a split that is in memory already; then no path is needed
   * @throws ValueError if an option is out of its range
   */
  constructor(
    options: PublishedOptions<Split, Downloading>,
    kind: PublishedKind<Split, Form, Downloading>,
    samples?: Dataset,
  ) {
    const { name } = new.target;
    const splits = Object.keys(kind.forms[0].files) as Split[];
    const standard = splits.find((split) => split === 'train') ?? splits[0];
    const { path, split = standard, limit, download } = expectOptions(name, options);
    if (samples === undefined) expectText(`${name}: path`, path);
    const isSplit = typeof split === 'string' && splits.includes(split);
    const [last, ...others] = splits.map((split) => `'${split}'`).reverse();
    const rule = others.length === 0 ? last : `${others.reverse().join(', ')} or ${last}`;
    expectThat(isSplit, name, 'split', rule, split);
    if (limit !== undefined) expectInteger(name, 'limit', limit, 1);
    if (download !== undefined && typeof download !== 'boolean') {
      expectOptions(`${name}: download`, download);
    }
    this.split = split;
    this.#kind = kind;
    this.#options = options;
    this.#samples = samples;
    this.#batches = batches(this, {
      ...options,
      transform: options.transform ?? kind.transform(),
      shuffle: options.shuffle ?? split !== 'test',
    });
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

  /** Image `index` as `[H, W, C]` bytes, untransformed, and its label. */
  get(index: number): Sample | Promise<Sample> {
    return this.#ready('get').get(index);
  }

  /** How a worker thread makes the same samples, of the same memory where it can be shared. */
  recipe() {
    return recipeOf(this.#ready('recipe'));
  }

  /** One pass over the batches; the files are read first. */
  [Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    return this.from(0);
  }

  /** One pass without its first `batch` batches; see `BatchSource`. */
  async *from(batch: number): AsyncGenerator<Batch, void, undefined> {
    await this.load();
    yield* this.#batches.from(batch);
  }

  async #read(): Promise<void> {
    const { path = '', download = false, limit } = this.#options;
    const { forms } = this.#kind;
    if (download !== false && !(await hasFiles(path, forms, this.split))) {
      await this.#download(path, download === true ? ({} as Downloading) : download); // All are optional.
    }
    this.#samples = await this.#kind.samples(await readFiles(path, forms, this.split), limit);
  }

  #download(path: string, options: Downloading): Promise<string> {
    if (this.#kind.download !== undefined) return this.#kind.download(path, options);
    return downloadArchive(path, this.#kind.forms[0], options);
  }

  #ready(member: string): Dataset {
    if (this.#samples === undefined) {
      throw new ValueError(
        `${this.constructor.name}: ${member} is known only after the files are read; ` +
          'await dataset.load() first',
      );
    }
    return this.#samples;
  }
}
