import { stat } from 'node:fs/promises';
import {
  CIFAR10_CLASSES,
  Cifar10,
  Compose,
  downloadCifar10,
  findCifar10,
  RandomCrop,
  RandomHorizontalFlip,
  Resize,
  syntheticCifar10,
} from '@firelight/data';
import { type Generator, ValueError } from '@firelight/tensor';
import { networkInput } from './cifar-input.ts';
import type { TrainOptions } from './train-options.ts';

const CIFAR10_SIDE = 32;

/** Where the images come from, in words for the user, the names of their classes, and the splits. */
export interface LoadedCifar {
  readonly source: string;
  readonly classNames: readonly string[];
  readonly train: Cifar10;
  readonly test: Cifar10;
}

/** Seeds of the made-up images; different, so that no test image was trained on. */
const SYNTHETIC_SEEDS = { train: 1, test: 2 };

/** Pixels around an image from which a random crop of the same size is taken. */
const CROP_PADDING = 4;

/** How images become the network's input; training images are also moved and mirrored. */
function transformTo(imageSize: number, { augment }: { augment: boolean }): Compose {
  const augmentation = [
    new RandomCrop(CIFAR10_SIDE, { padding: CROP_PADDING }),
    new RandomHorizontalFlip(),
  ];
  return new Compose([
    ...(augment ? augmentation : []),
    ...(imageSize === CIFAR10_SIDE ? [] : [new Resize([imageSize, imageSize])]),
    ...networkInput(),
  ]);
}

/** The folder with CIFAR-10, downloaded if necessary; null if it cannot be found or fetched. */
async function locate(
  options: TrainOptions,
  warn: (text: string) => void,
): Promise<{ path: string; origin: string } | null> {
  if (options.synthetic) return null;
  const found = await findCifar10({ explicit: options.data });
  if (found !== null || !options.download) return found;
  try {
    console.log('CIFAR-10 was not found; downloading it into ./data');
    const { mirror } = options;
    await downloadCifar10('./data', mirror === undefined ? {} : { urls: [mirror] });
    return { path: './data', origin: 'downloaded' };
  } catch (error) {
    warn(`${(error as Error).message}`);
    return null;
  }
}

/**
 * Finds or downloads CIFAR-10, or falls back to made-up images after saying so loudly.
 *
 * @throws ValueError or DataError if the images that were asked for cannot be read
 */
export async function loadCifar(
  options: TrainOptions,
  generator: Generator,
  warn: (text: string) => void,
): Promise<LoadedCifar> {
  const { 'train-size': trainSize, 'test-size': testSize, 'batch-size': batchSize } = options;
  const size = options['image-size'];
  const [trainGenerator, testGenerator] = generator.split(2);
  const training = {
    transform: transformTo(size, options),
    batchSize,
    workers: options.workers,
    generator: trainGenerator,
  };
  const testing = {
    transform: transformTo(size, { augment: false }),
    batchSize,
    generator: testGenerator,
    split: 'test',
  } as const;
  const found = await locate(options, warn);
  if (found === null) {
    warn(
      'NOT CIFAR-10: these are made-up images of ten patterns. An accuracy on them says nothing ' +
        'about photographs. Pass --data DIR with the .bin files of CIFAR-10.',
    );
    const bytes = (split: 'train' | 'test', count: number) =>
      syntheticCifar10({ count, seed: SYNTHETIC_SEEDS[split] });
    return {
      source: 'built-in made-up images, not CIFAR-10',
      classNames: CIFAR10_CLASSES.map((_, label) => `pattern ${label}`),
      train: Cifar10.fromBytes(bytes('train', trainSize), training),
      test: Cifar10.fromBytes(bytes('test', testSize), testing),
    };
  }
  if (!(await stat(found.path)).isDirectory()) {
    throw new ValueError(
      `--data must be a folder with training and test files, got the file ${found.path}`,
    );
  }
  const { path } = found;
  const train = new Cifar10({ ...training, path, limit: trainSize });
  const test = new Cifar10({ ...testing, path, limit: testSize });
  await train.load();
  await test.load();
  return { source: `CIFAR-10 in ${path}`, classNames: CIFAR10_CLASSES, train, test };
}
