import { type Generator, ValueError } from '@firelight/tensor';
import { type BatchOptions, batches } from '../batches.ts';
import type { Batch, BatchSource, Dataset, Sample } from '../dataset.ts';
import { Compose } from '../transforms/compose.ts';
import { HWC2CHW } from '../transforms/hwc-to-chw.ts';
import { Normalize } from '../transforms/normalize.ts';
import { Rescale } from '../transforms/rescale.ts';
import { type CifarRecords, parseCifarBinary } from './binary.ts';
import { CIFAR_FILES, CIFAR10_MEAN, CIFAR10_STD, type CifarSplit } from './constants.ts';
import { type DownloadOptions, downloadCifar10 } from './download.ts';
import { hasCifar10, readCifar10 } from './files.ts';
import { CifarSamples } from './samples.ts';

/** How `Cifar10` reads and batches; one of `path` and `records` is needed. */
export interface Cifar10Options extends BatchOptions {
  /** Folder with the `.bin` files or with `cifar-10-batches-bin`, or one `.bin` file. */
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

/**
 * CIFAR-10 as batches: `image` `[N, 3, 32, 32]` float32 (other sides after a `Resize`), `label`
 * `[N]` int32.
 *
 * Each image starts as `[32, 32, 3]` bytes. The default transform is `Rescale(1 / 255, 0)`,
 * `Normalize` with `CIFAR10_MEAN` and `CIFAR10_STD`, `HWC2CHW`; one that is given replaces it.
 * `shuffle` is on unless the split is `'test'`.
 *
 * Unlike mindvision's, batches keep the remainder (`dropRemainder: false`), so that a test accuracy
 * counts all 10000 images and not 9984, and the test split keeps its order.
 *
 * Nothing is read before `load()` or the first iteration.
 */
export class Cifar10 implements Dataset, BatchSource {
  readonly split: CifarSplit;
  readonly #options: Cifar10Options;
  readonly #batches: BatchSource;
  #samples: CifarSamples | undefined;
  #reading: Promise<void> | undefined;

  /** @throws ValueError if an option is out of its range or not exactly one source is given */
  constructor(options: Cifar10Options) {
    const { path, records, split = 'train', limit } = options;
    if ((path === undefined) === (records === undefined)) {
      throw new ValueError(
        'Cifar10: give path (a folder or a .bin file) or records, one and not both',
      );
    }
    if (!Object.hasOwn(CIFAR_FILES, split)) {
      throw new ValueError(`Cifar10: split must be 'train', 'test' or 'all', got '${split}'`);
    }
    if (limit !== undefined && (!Number.isInteger(limit) || limit < 1)) {
      throw new ValueError(`Cifar10: limit must be an integer ≥ 1, got ${limit}`);
    }
    this.split = split;
    this.#options = options;
    this.#batches = batches(this, {
      ...options,
      transform: options.transform ?? defaultTransform(),
      shuffle: options.shuffle ?? split !== 'test',
    });
    if (records !== undefined) this.#samples = new CifarSamples(records, { limit });
  }

  /**
   * A data set of binary files that are in memory, in a browser for instance.
   *
   * @throws DataError if a file is not CIFAR-10 binary
   */
  static fromBytes(
    files: Uint8Array | ArrayBuffer | readonly (Uint8Array | ArrayBuffer)[],
    options: Omit<Cifar10Options, 'path' | 'records' | 'download'> = {},
  ): Cifar10 {
    const list = files instanceof Uint8Array || files instanceof ArrayBuffer ? [files] : files;
    const records = list.map((bytes, file) =>
      parseCifarBinary(bytes, { source: `CIFAR-10 file ${file}` }),
    );
    return new Cifar10({ ...options, records });
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

  get generator(): Generator {
    return this.#batches.generator;
  }

  /** Image `index` as `[32, 32, 3]` bytes, untransformed, and its label. */
  get(index: number): Sample {
    return this.#ready('get').get(index);
  }

  [Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    return this.from(0);
  }

  /** One pass whose first epoch begins with batch `batch`; see `BatchSource`. */
  async *from(batch: number): AsyncGenerator<Batch, void, undefined> {
    await this.load();
    yield* this.#batches.from(batch);
  }

  async #read(): Promise<void> {
    const { path = '', download = false, limit } = this.#options;
    if (download !== false && !(await hasCifar10(path, this.split))) {
      await downloadCifar10(path, download === true ? {} : download);
    }
    this.#samples = new CifarSamples(await readCifar10(path, this.split), { limit });
  }

  #ready(member: string): CifarSamples {
    if (this.#samples === undefined) {
      throw new ValueError(
        `Cifar10: ${member} is known only after the files are read; await dataset.load() first`,
      );
    }
    return this.#samples;
  }
}

function defaultTransform(): Compose {
  return new Compose([
    new Rescale(1 / 255, 0),
    new Normalize({ mean: CIFAR10_MEAN, std: CIFAR10_STD }),
    new HWC2CHW(),
  ]);
}
