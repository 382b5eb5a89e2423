import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { type Checkpoint, CheckpointError } from '@firelight/nn';
import { NPY, openCheckpoint } from '@firelight/nn/formats';
import { printablePath } from '@firelight/tensor/extend';

const [EXTENSION] = NPY.extensions;

/**
 * The weights in a file of any program, or in a folder of NumPy's files, each of which has the name of
 * its tensor.
 *
 * @throws CheckpointError if there are none, or a file cannot be read
 */
export async function openWeights(path: string): Promise<Checkpoint> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false, // What is not there is told by whoever opens it.
  );
  if (!isFolder) return openCheckpoint(path);
  const files = (await readdir(path)).filter((name) => extname(name) === EXTENSION).sort();
  if (files.length === 0) {
    throw new CheckpointError(`${printablePath(path)}: has no ${EXTENSION} files; pass a file`);
  }
  const entries = files.map(async (file) => {
    const { tensors } = await openCheckpoint(join(path, file));
    return [basename(file, EXTENSION), Object.values(tensors)[0]] as const;
  });
  const tensors = Object.fromEntries(await Promise.all(entries));
  return { file: path, tensors, metadata: {}, isForeign: true };
}
