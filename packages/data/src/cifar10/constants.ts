/** Names of the classes 0 to 9, as in `batches.meta.txt`. */
export const CIFAR10_CLASSES = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const;

/** Mean of red, green and blue of [0, 1] pixels, as mindvision and the MindSpore tutorial use it. */
export const CIFAR10_MEAN: readonly [number, number, number] = [0.4914, 0.4822, 0.4465];

/** Standard deviation to `CIFAR10_MEAN`, of the same source. */
export const CIFAR10_STD: readonly [number, number, number] = [0.2023, 0.1994, 0.201];

/** Side of a CIFAR image in pixels. */
export const CIFAR_SIDE = 32;

/** Bytes of one image: 1024 red, 1024 green, 1024 blue, each row by row. */
export const CIFAR_IMAGE_BYTES = 3 * CIFAR_SIDE * CIFAR_SIDE;

/** Bytes of one record: the label, then the image. */
export const CIFAR_RECORD_BYTES = 1 + CIFAR_IMAGE_BYTES;

/** Bytes of each published file: 10000 records. */
export const CIFAR_FILE_BYTES = 10_000 * CIFAR_RECORD_BYTES;

/** Folder of the published binary archive. */
export const CIFAR_FOLDER = 'cifar-10-batches-bin';

/** Which images: the 50000 to train on, the 10000 to test on, or both in that order. */
export type CifarSplit = 'train' | 'test' | 'all';

const TRAIN_FILES = [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`);
const TEST_FILES = ['test_batch.bin'];

/** The files of each split, in the order in which they are read. */
export const CIFAR_FILES: Readonly<Record<CifarSplit, readonly string[]>> = {
  train: TRAIN_FILES,
  test: TEST_FILES,
  all: [...TRAIN_FILES, ...TEST_FILES],
};
