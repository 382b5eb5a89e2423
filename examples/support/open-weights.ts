import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, CheckpointError } from '@firelight/nn';
import { openCheckpoint } from '@firelight/nn/formats';
import { printablePath } from '@firelight/tensor/extend';
import { isArrayFile, joinArrays } from './join-arrays.ts';

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
  const files = (await readdir(path)).filter(isArrayFile).sort();
  if (files.length === 0) {
    throw new CheckpointError(`${printablePath(path)}: has no .npy files; pass a file`);
  }
  const arrays = files.map((file) => openCheckpoint(join(path, file)));
  return joinArrays(path, await Promise.all(arrays));
}
