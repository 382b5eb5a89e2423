import { printablePath, systemReason } from '@firelight/tensor/extend';
import { CheckpointError } from '../core/errors.ts';
import { nodeModule } from '../core/node.ts';
import { type Checkpoint, loadCheckpoint } from './checkpoint.ts';
import { latestFirst } from './names.ts';

/**
 * The latest checkpoint in a folder that is whole; null if there is no checkpoint.
 *
 * @param options `prefix` as given to `ModelCheckpoint`; `warn` is told of files that are damaged
 * @throws CheckpointError if there are checkpoints but none is whole, or the folder cannot be read
 */
export async function latestCheckpoint(
  directory: string,
  {
    prefix = 'CKP',
    warn = () => {},
  }: { readonly prefix?: string; readonly warn?: (text: string) => void } = {},
): Promise<Checkpoint | null> {
  const { readdir } = nodeModule('node:fs/promises');
  const { join } = nodeModule('node:path');
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw new CheckpointError(
      `${printablePath(directory)}: ${systemReason(error)}; pass a folder`,
      {
        cause: error,
      },
    );
  });
  const found = latestFirst(names, prefix);
  for (const { name } of found) {
    try {
      return await loadCheckpoint(join(directory, name));
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      warn(`${error.message}; trying the one before`);
    }
  }
  if (found.length === 0) return null;
  throw new CheckpointError(
    `${directory}: none of the ${found.length} checkpoints of '${prefix}' is whole; put one back from ` +
      'a copy, or start a new training elsewhere',
  );
}
