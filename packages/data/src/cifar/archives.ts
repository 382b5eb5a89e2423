import { type Archive, type ArchiveFile, type Forms, fileOfBytes } from '../archive/archive.ts';
import { CIFAR_RECORD_BYTES, type CifarSplit } from './constants.ts';
import { parseCifar10 } from './python-batch.ts';
import type { CifarRecords } from './records.ts';

/** One published form of CIFAR, and how its files are read. */
export interface CifarArchive extends Archive<CifarSplit> {
  /** Reads one of the files, whose name is `source`. */
  readonly parse: (bytes: Uint8Array, options: { source: string }) => CifarRecords;
}

/** The published archives have 162 to 170 MB, the files in them 187 MB. */
export const BOUNDS = { mostBytes: 200e6, mostUnpackedBytes: 250e6 };

/** Where the authors publish. */
export const HOST = 'https://www.cs.toronto.edu/~kriz';

/** Python batches hold file names too, so their lengths differ by some hundred bytes. */
const PYTHON_BATCH_BYTES = [31_000_000, 31_100_000] as const;

/** Both splits, and all files of both. */
export function withAll(
  train: readonly ArchiveFile[],
  test: readonly ArchiveFile[],
): CifarArchive['files'] {
  return { train, test, all: [...train, ...test] };
}

function pythonBatch(name: string): ArchiveFile {
  const [leastBytes, mostBytes] = PYTHON_BATCH_BYTES;
  return { name, leastBytes, mostBytes };
}

const TRAIN_BATCHES = [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}`);
const BATCH_BYTES = 10_000 * CIFAR_RECORD_BYTES;

/** @see https://www.cs.toronto.edu/~kriz/cifar.html for addresses and MD5 sums of all archives */
export const CIFAR10_BINARY: CifarArchive = {
  title: 'CIFAR-10',
  downloads: [
    {
      name: 'cifar-10-binary.tar.gz',
      url: `${HOST}/cifar-10-binary.tar.gz`,
      md5: 'c32a1d4ab5d03f1284b67883e8d87530',
    },
  ],
  ...BOUNDS,
  folder: 'cifar-10-batches-bin',
  files: withAll(
    TRAIN_BATCHES.map((name) => fileOfBytes(`${name}.bin`, BATCH_BYTES)),
    [fileOfBytes('test_batch.bin', BATCH_BYTES)],
  ),
  parse: parseCifar10,
};

const CIFAR10_PYTHON: CifarArchive = {
  title: 'CIFAR-10',
  downloads: [
    {
      name: 'cifar-10-python.tar.gz',
      url: `${HOST}/cifar-10-python.tar.gz`,
      md5: 'c58f30108f718f92721af3b95e74349a',
    },
  ],
  ...BOUNDS,
  folder: 'cifar-10-batches-py',
  files: withAll(TRAIN_BATCHES.map(pythonBatch), [pythonBatch('test_batch')]),
  parse: parseCifar10,
};

/** CIFAR-10 in either form; the binary one needs no unpickling. */
export const CIFAR10_FORMS: Forms<CifarArchive> = [CIFAR10_BINARY, CIFAR10_PYTHON];
