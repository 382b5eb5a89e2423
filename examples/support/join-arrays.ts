import type { Checkpoint } from '@firelight/nn';
import { NPY } from '@firelight/nn/formats';

const [EXTENSION] = NPY.extensions;

/** Whether a file has the name of one of NumPy's with a single array. */
export const isArrayFile = (name: string): boolean => name.endsWith(EXTENSION);

/** NumPy's files of an array each as one checkpoint, in which each array has the name of its file. */
export function joinArrays(file: string, arrays: readonly Checkpoint[]): Checkpoint {
  const entries = arrays.map(({ file: path, tensors }) => {
    const name = path.replace(/^.*[\\/]/, '').slice(0, -EXTENSION.length);
    return [name, Object.values(tensors)[0]];
  });
  return { file, tensors: Object.fromEntries(entries), metadata: {}, isForeign: true };
}
