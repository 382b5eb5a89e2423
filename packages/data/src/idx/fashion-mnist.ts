import { type Archive, type ArchiveFile, type Forms, fileOfBytes } from '../archive/archive.ts';
import { downloadArchive } from '../archive/download.ts';
import type { ArchiveDownloadOptions } from '../archive/fetch-archive.ts';
import { gunzipWhole } from '../archive/gunzip.ts';
import { type FindOptions, type FoundFiles, findPublished } from '../published/find.ts';
import { PublishedDataset, type PublishedOptions } from '../published/published-dataset.ts';
import { Compose } from '../transforms/compose.ts';
import { HWC2CHW } from '../transforms/hwc-to-chw.ts';
import { Normalize } from '../transforms/normalize.ts';
import { Rescale } from '../transforms/rescale.ts';
import { IdxSamples } from './idx-samples.ts';

/** Which images: the 60000 to train on, the 10000 to test on, or both in that order. */
export type FashionMnistSplit = 'train' | 'test' | 'all';

/** How `FashionMnist` reads and batches. */
export type FashionMnistOptions = PublishedOptions<FashionMnistSplit>;

/** Names of Fashion-MNIST's classes 0 to 9. */
export const FASHION_MNIST_CLASSES = [
  'T-shirt/top',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
] as const;

/** Mean of the training images' pixels in [0, 1]. */
export const FASHION_MNIST_MEAN = 0.286;

/** Standard deviation to `FASHION_MNIST_MEAN`. */
export const FASHION_MNIST_STD = 0.353;

const HOST = 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com';

/** The published MD5 sums. Debian packs the same files again, so their sums differ. */
const DOWNLOADS = [
  ['train-images-idx3-ubyte', '8d4fb7e6c68d591d4c3dfef9ec88bf0d'],
  ['train-labels-idx1-ubyte', '25c81989df183df01b3e8a0aad5dffbe'],
  ['t10k-images-idx3-ubyte', 'bef4ecab320f06d8554ea6380940ec79'],
  ['t10k-labels-idx1-ubyte', 'bb300cfdad3c16e7a12a480ee83cd310'],
] as const;

/** The most that a packed file has; how well it was packed may differ. */
const MOST_BYTES = 40e6;

const UNPACKED_BYTES = [16 + 60_000 * 784, 8 + 60_000, 16 + 10_000 * 784, 8 + 10_000];

function archiveOf(extension: string, fileOf: (name: string, i: number) => ArchiveFile) {
  const files = DOWNLOADS.map(([name], i) => fileOf(name + extension, i));
  const [first, ...others] = DOWNLOADS.map(([name, md5]) => ({
    name: `${name}.gz`,
    url: `${HOST}/${name}.gz`,
    md5,
  }));
  return {
    title: 'Fashion-MNIST',
    downloads: [first, ...others],
    folder: 'fashion-mnist',
    files: { train: files.slice(0, 2), test: files.slice(2), all: files },
    mostBytes: MOST_BYTES,
  } satisfies Archive<FashionMnistSplit>;
}

/** Packed by gzip as published, or unpacked. */
const FORMS: Forms<Archive<FashionMnistSplit>> = [
  archiveOf('.gz', (name) => ({ name, leastBytes: 1000, mostBytes: MOST_BYTES })),
  archiveOf('', (name, i) => fileOfBytes(name, UNPACKED_BYTES[i])),
];

/**
 * Fashion-MNIST as batches: `image` `[N, 1, 28, 28]` float32, `label` `[N]` int32, of ten classes
 * (`FASHION_MNIST_CLASSES`).
 *
 * The files may be packed by gzip or not; Debian's package `dataset-fashion-mnist` puts them into
 * `/usr/share/datasets/fashion-mnist`. Each image starts as `[28, 28, 1]` bytes. The default transform
 * is `Rescale(1 / 255, 0)`, `Normalize` with `FASHION_MNIST_MEAN` and `FASHION_MNIST_STD`, `HWC2CHW`;
 * one that is given replaces it. `shuffle` is on unless the split is `'test'`.
 *
 * @see Xiao, Rasul, Vollgraf, arXiv:1708.07747; https://github.com/zalandoresearch/fashion-mnist
 */
export class FashionMnist extends PublishedDataset<FashionMnistSplit> {
  /** @throws ValueError if an option is out of its range */
  constructor(options: FashionMnistOptions) {
    super(options, {
      forms: FORMS,
      async samples(files, limit) {
        const unpacked = await Promise.all(files.map(gunzipWhole));
        return IdxSamples.fromFiles(unpacked, { title: 'Fashion-MNIST', classes: 10, limit });
      },
      transform: () =>
        new Compose([
          new Rescale(1 / 255, 0),
          new Normalize({ mean: [FASHION_MNIST_MEAN], std: [FASHION_MNIST_STD] }),
          new HWC2CHW(),
        ]),
    });
  }
}

/**
 * Fetches the four files of Fashion-MNIST (31 MB), checks their MD5 sums and puts them into
 * `directory/fashion-mnist`; see `downloadArchive`.
 *
 * @throws ValueError if an option is of the wrong type
 * @throws DataError if no server delivers, or the folder cannot be written
 */
export function downloadFashionMnist(
  directory: string,
  options: ArchiveDownloadOptions = {},
): Promise<string> {
  return downloadArchive(directory, FORMS[0], options);
}

/**
 * Looks for Fashion-MNIST: the explicit path, else that of `FIRELIGHT_FASHION_MNIST`, else the first
 * candidate that has it, by default `./data` and Debian's `/usr/share/datasets/fashion-mnist`; null if
 * none has. A path that was asked for, by argument or variable, is never replaced.
 *
 * @throws ValueError if an option is of the wrong type
 * @throws DataError if the explicit path or that of the variable has no file of Fashion-MNIST
 */
export function findFashionMnist(options: FindOptions = {}): Promise<FoundFiles | null> {
  return findPublished(
    {
      op: 'findFashionMnist',
      forms: FORMS,
      variable: 'FIRELIGHT_FASHION_MNIST',
      candidates: ['./data', '/usr/share/datasets/fashion-mnist'],
    },
    options,
  );
}
