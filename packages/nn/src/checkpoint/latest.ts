import { CheckpointError } from '../errors.ts';
import { type Checkpoint, loadCheckpoint } from './checkpoint.ts';
import { latestFirst } from './names.ts';

/**
 * The latest checkpoint in a folder that is whole; null if there is none.
 *
 * @param options `prefix` as given to `ModelCheckpoint`; `warn` is told of files that are damaged
 */
export async function latestCheckpoint(
  directory: string,
  {
    prefix = 'CKP',
    warn = () => {},
  }: { readonly prefix?: string; readonly warn?: (text: string) => void } = {},
): Promise<Checkpoint | null> {
  const { readdir } = await import('node:fs/promises');
  const { join } = await import('node:path');
  const names = await readdir(directory).catch(() => []);
  for (const { name } of latestFirst(names, prefix)) {
    try {
      return await loadCheckpoint(join(directory, name));
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      warn(`${error.message}; trying the one before`);
    }
  }
  return null;
}
