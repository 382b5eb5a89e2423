import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { StateDict } from '@firelight/nn';
import { openWeights } from './open-weights.ts';

/** SqueezeNet 1.1 of the ONNX model zoo, a NumPy file for each tensor. */
const FOLDER = '../shared/squeezenet/squeezenet1.1_nchw/weights';
const CLASSES = '../shared/squeezenet/imagenet_classes.txt';

/**
 * What SqueezeNet 1.1 learned from ImageNet, or null where this machine does not have it.
 *
 * @param names those of the network's parameters, in its order, which is also that of the files
 * @throws CheckpointError if a file is none of NumPy's
 */
export async function readImageNetWeights(names: readonly string[]): Promise<StateDict | null> {
  if (!existsSync(FOLDER)) return null;
  const { tensors } = await openWeights(FOLDER);
  const entries = names.map((name, i) => {
    const file = `squeezenet0_conv${i >> 1}_${i % 2 === 0 ? 'weight' : 'bias'}`;
    return [name, tensors[file]] as const;
  });
  return Object.fromEntries(entries);
}

/** The names of ImageNet's thousand classes, or null where this machine does not have them. */
export async function readImageNetClasses(): Promise<readonly string[] | null> {
  if (!existsSync(CLASSES)) return null;
  return (await readFile(CLASSES, 'utf8')).trim().split('\n');
}
