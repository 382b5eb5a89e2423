import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { StateDict } from '@firelight/nn';
import { FirelightError, type Tensor, tensor } from '@firelight/tensor';

/** SqueezeNet 1.1 of the ONNX model zoo, a NumPy file for each tensor. */
const FOLDER = '../shared/squeezenet/squeezenet1.1_nchw/weights';
const CLASSES = '../shared/squeezenet/imagenet_classes.txt';

/** An array of float32 in a NumPy file: its header is a Python dictionary, in text. */
async function readNpy(path: string): Promise<Tensor> {
  const file = await readFile(path);
  const start = 10 + file.readUInt16LE(8);
  const header = file.toString('latin1', 10, start);
  const lengths = /'descr': '<f4', 'fortran_order': False, 'shape': \(([\d, ]+)\)/.exec(
    header,
  )?.[1];
  if (lengths === undefined) throw new FirelightError(`${path}: is no NumPy file of float32`);
  const shape = lengths.split(',').filter(Boolean).map(Number);
  return tensor(new Float32Array(Uint8Array.from(file.subarray(start)).buffer), { shape });
}

/**
 * What SqueezeNet 1.1 learned from ImageNet, or null where this machine does not have it.
 *
 * @param names those of the network's parameters, in its order, which is also that of the files
 * @throws FirelightError if a file is none of NumPy's
 */
export async function readImageNetWeights(names: readonly string[]): Promise<StateDict | null> {
  if (!existsSync(FOLDER)) return null;
  const entries = names.map(async (name, i) => {
    const file = `squeezenet0_conv${i >> 1}_${i % 2 === 0 ? 'weight' : 'bias'}.npy`;
    return [name, await readNpy(`${FOLDER}/${file}`)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** The names of ImageNet's thousand classes, or null where this machine does not have them. */
export async function readImageNetClasses(): Promise<readonly string[] | null> {
  if (!existsSync(CLASSES)) return null;
  return (await readFile(CLASSES, 'utf8')).trim().split('\n');
}
