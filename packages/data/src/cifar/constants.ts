/** Names of CIFAR-10's classes 0 to 9, as in `batches.meta.txt`. */
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

/** Mean of red, green and blue of CIFAR-100's training images in [0, 1], as commonly published. */
export const CIFAR100_MEAN: readonly [number, number, number] = [0.5071, 0.4865, 0.4409];

/** Standard deviation to `CIFAR100_MEAN`. */
export const CIFAR100_STD: readonly [number, number, number] = [0.2673, 0.2564, 0.2762];

/** Side of a CIFAR image in pixels. */
export const CIFAR_SIDE = 32;

/** Bytes of one image: 1024 red, 1024 green, 1024 blue, each row by row. */
export const CIFAR_IMAGE_BYTES = 3 * CIFAR_SIDE * CIFAR_SIDE;

/** Bytes of one record: the label, then the image. */
export const CIFAR_RECORD_BYTES = 1 + CIFAR_IMAGE_BYTES;

/** Which images: those to train on, the 10000 to test on, or both in that order. */
export type CifarSplit = 'train' | 'test' | 'all';
