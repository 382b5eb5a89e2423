import { DataError } from '../errors.ts';
import { type CifarRecords, parseCifarBinary } from './binary.ts';
import {
  CIFAR_FILE_BYTES,
  CIFAR_FILES,
  CIFAR_FOLDER,
  CIFAR_RECORD_BYTES,
  type CifarSplit,
} from './constants.ts';

/** Where the published archive is. */
export const CIFAR10_URL = 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz';

export async function isFile(path: string): Promise<boolean> {
  const { stat } = await import('node:fs/promises');
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** Sizes of the files of a split in `folder`; null for one that is not there. */
async function fileSizes(folder: string, split: CifarSplit): Promise<Map<string, number | null>> {
  const { stat } = await import('node:fs/promises');
  const { join } = await import('node:path');
  const sizes = new Map<string, number | null>();
  for (const name of CIFAR_FILES[split]) {
    const found = await stat(join(folder, name)).catch(() => null);
    sizes.set(name, found?.isFile() ? found.size : null);
  }
  return sizes;
}

/** The folder, `path` or its `cifar-10-batches-bin`, with most files of the split; null if none. */
export async function locateCifar10(
  path: string,
  split: CifarSplit = 'all',
): Promise<string | null> {
  const { join } = await import('node:path');
  let best: { readonly folder: string | null; readonly files: number } = { folder: null, files: 0 };
  for (const folder of [path, join(path, CIFAR_FOLDER)]) {
    const sizes = await fileSizes(folder, split);
    const files = [...sizes.values()].filter((size) => size !== null).length;
    if (files > best.files) best = { folder, files };
  }
  return best.folder;
}

/** Whether `path` is a file, or all files of the split are at or in it, whatever their content. */
export async function hasCifar10(path: string, split: CifarSplit): Promise<boolean> {
  if (await isFile(path)) return true;
  const folder = await locateCifar10(path, split);
  if (folder === null) return false;
  return [...(await fileSizes(folder, split)).values()].every((size) => size !== null);
}

/** What to do where files are missing. */
export function whereToPutFiles(path: string): string {
  return (
    `put ${CIFAR_FILES.train[0]} … ${CIFAR_FILES.train[4]} and ${CIFAR_FILES.test[0]} of ` +
    `${CIFAR10_URL} into ${path} or its folder ${CIFAR_FOLDER}`
  );
}

/**
 * Reads one `.bin` file, or the files of a split from a folder, where each has 10000 records.
 *
 * @throws DataError if a file is missing, too short, too long or damaged
 */
export async function readCifar10(path: string, split: CifarSplit): Promise<CifarRecords[]> {
  const { readFile } = await import('node:fs/promises');
  const { join } = await import('node:path');
  if (await isFile(path)) return [parseCifarBinary(await readFile(path), { source: path })];
  const folder = await locateCifar10(path, split);
  if (folder === null) {
    throw new DataError(
      `Cifar10: ${path} has no file of the ${split} split; ${whereToPutFiles(path)}, ` +
        'or pass download: true',
    );
  }
  const files: CifarRecords[] = [];
  for (const [name, size] of await fileSizes(folder, split)) {
    const file = join(folder, name);
    if (size === null) {
      throw new DataError(
        `Cifar10: ${file} is missing, the ${split} split needs ${CIFAR_FILES[split].join(', ')}; ` +
          `fetch it from ${CIFAR10_URL} or pass download: true`,
      );
    }
    if (size !== CIFAR_FILE_BYTES) {
      throw new DataError(
        `Cifar10: ${file} has ${size} bytes, expected ${CIFAR_FILE_BYTES} (10000 records of ` +
          `${CIFAR_RECORD_BYTES} bytes), so it is ${size < CIFAR_FILE_BYTES ? 'truncated' : 'too long'}; ` +
          `fetch it again from ${CIFAR10_URL}`,
      );
    }
    files.push(parseCifarBinary(await readFile(file), { source: file }));
  }
  return files;
}
