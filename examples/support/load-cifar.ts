import {
  CIFAR10_CLASSES,
  CIFAR10_MEAN,
  CIFAR10_STD,
  Cifar10,
  Compose,
  type DownloadProgress,
  downloadCifar10,
  findCifar10,
  HWC2CHW,
  Normalize,
  Rescale,
  Resize,
  syntheticCifar10,
} from '@firelight/data';
import { type Generator, ValueError } from '@firelight/tensor';
import type { TrainOptions } from './train-options.ts';

/** Where the images come from, in words for the user, the names of their classes, and the splits. */
export interface LoadedCifar {
  readonly source: string;
  readonly classNames: readonly string[];
  readonly train: Cifar10;
  readonly test: Cifar10;
}

/** Seeds of the made-up images; different, so that no test image was trained on. */
const SYNTHETIC_SEEDS = { train: 1, test: 2 };

function transformTo(imageSize: number): Compose {
  return new Compose([
    ...(imageSize === 32 ? [] : [new Resize([imageSize, imageSize])]),
    new Rescale(1 / 255, 0),
    new Normalize({ mean: CIFAR10_MEAN, std: CIFAR10_STD }),
    new HWC2CHW(),
  ]);
}

/** Prints a line at every tenth part of the download. */
function reportDownload(): (progress: DownloadProgress) => void {
  let tenths = 0;
  return ({ receivedBytes, totalBytes }) => {
    if (totalBytes === null || Math.floor((10 * receivedBytes) / totalBytes) === tenths) return;
    tenths = Math.floor((10 * receivedBytes) / totalBytes);
    console.log(`downloaded ${tenths}0 % of ${Math.round(totalBytes / 1e6)} MB`);
  };
}

/** The folder with CIFAR-10, downloaded if need be; null if it is to be had nowhere. */
async function locate(
  options: TrainOptions,
  warn: (text: string) => void,
): Promise<{ path: string; origin: string } | null> {
  if (options.synthetic) return null;
  const found = await findCifar10({ explicit: options.data });
  if (found !== null || !options.download) return found;
  try {
    console.log('CIFAR-10 was not found; downloading it into ./data');
    await downloadCifar10('./data', { onProgress: reportDownload() });
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
  const transform = transformTo(options['image-size']);
  const common = { transform, batchSize, generator };
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
      train: Cifar10.fromBytes(bytes('train', trainSize), common),
      test: Cifar10.fromBytes(bytes('test', testSize), { ...common, split: 'test' }),
    };
  }
  if (found.path.endsWith('.bin')) {
    throw new ValueError(
      `--data must be a folder with training and test files, got the file ${found.path}`,
    );
  }
  const { path } = found;
  const train = new Cifar10({ ...common, path, split: 'train', limit: trainSize });
  const test = new Cifar10({ ...common, path, split: 'test', limit: testSize });
  await train.load();
  await test.load();
  return { source: `CIFAR-10 in ${path}`, classNames: CIFAR10_CLASSES, train, test };
}
