import { DataError } from '../core/errors.ts';
import type { ArchiveFile, CifarArchive } from './archive.ts';
import type { CifarSplit } from './constants.ts';
import type { CifarRecords } from './records.ts';

/** A data set: the forms in which it is published, the preferred one first. */
export type CifarForms = readonly [CifarArchive, ...CifarArchive[]];

/** The files of one form that a folder has. */
interface Location {
  readonly folder: string;
  readonly archive: CifarArchive;
  /** Sizes of the files of the split; null for one that is not there. */
  readonly sizes: ReadonlyMap<ArchiveFile, number | null>;
}

export async function isFile(path: string): Promise<boolean> {
  const { stat } = await import('node:fs/promises');
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function look(
  folder: string,
  archive: CifarArchive,
  split: CifarSplit,
): Promise<{ location: Location; count: number }> {
  const { stat } = await import('node:fs/promises');
  const { join } = await import('node:path');
  const sizes = new Map<ArchiveFile, number | null>();
  let count = 0;
  for (const file of archive.files[split]) {
    const found = await stat(join(folder, file.name)).catch(() => null);
    const isThere = found?.isFile() === true;
    sizes.set(file, isThere ? found.size : null);
    if (isThere) count++;
  }
  return { location: { folder, archive, sizes }, count };
}

/** `path` or the folder in it with the most files of the split; null if none has any. */
async function locate(
  path: string,
  forms: CifarForms,
  split: CifarSplit,
): Promise<Location | null> {
  const { join } = await import('node:path');
  let best: { location: Location | null; count: number } = { location: null, count: 0 };
  for (const archive of forms) {
    for (const folder of [path, join(path, archive.folder)]) {
      const found = await look(folder, archive, split);
      if (found.count > best.count) best = found;
    }
  }
  return best.location;
}

/** The folder, `path` or one in it, with the files of a data set; null if there is none. */
export async function locateFolder(path: string, forms: CifarForms): Promise<string | null> {
  return (await locate(path, forms, 'all'))?.folder ?? null;
}

function hasRightSize(file: ArchiveFile, size: number | null): boolean {
  return size !== null && size >= file.leastBytes && size <= file.mostBytes;
}

/** Whether `path` is a file, or all files of the split are at or in it, with their sizes. */
export async function hasFiles(
  path: string,
  forms: CifarForms,
  split: CifarSplit,
): Promise<boolean> {
  if (await isFile(path)) return true;
  const location = await locate(path, forms, split);
  return location !== null && [...location.sizes].every(([file, size]) => hasRightSize(file, size));
}

/** What to do where files are missing. */
export function whereToPutFiles(path: string, [archive]: CifarForms): string {
  const { train, test } = archive.files;
  const names = train.length === 1 ? train[0].name : `${train[0].name} … ${train.at(-1)?.name}`;
  return (
    `put ${names} and ${test[0].name} of ${archive.url} into ${path} or its folder ` +
    `${archive.folder}`
  );
}

/**
 * Reads one file, or the files of a split from a folder.
 *
 * @throws DataError if a file is missing, too short, too long or damaged
 */
export async function readRecords(
  path: string,
  forms: CifarForms,
  split: CifarSplit,
): Promise<CifarRecords[]> {
  const { join } = await import('node:path');
  const [{ title }] = forms;
  if (await isFile(path)) return [forms[0].parse(await readShared(path), { source: path })];
  const location = await locate(path, forms, split);
  if (location === null) {
    throw new DataError(
      `${title}: ${path} has no file of the ${split} split; ${whereToPutFiles(path, forms)}, ` +
        'or pass download: true',
    );
  }
  const { folder, archive, sizes } = location;
  for (const [file, size] of sizes) checkSize(join(folder, file.name), file, size, archive, split);
  return Promise.all(
    [...sizes.keys()].map(async ({ name }) => {
      const file = join(folder, name);
      return archive.parse(await readShared(file), { source: file });
    }),
  );
}

function checkSize(
  path: string,
  file: ArchiveFile,
  size: number | null,
  { title, url, files }: CifarArchive,
  split: CifarSplit,
): void {
  if (size === null) {
    const names = files[split].map(({ name }) => name).join(', ');
    throw new DataError(
      `${title}: ${path} is missing, the ${split} split needs ${names}; ` +
        `fetch it from ${url} or pass download: true`,
    );
  }
  if (hasRightSize(file, size)) return;
  const { leastBytes, mostBytes } = file;
  const expected = leastBytes === mostBytes ? leastBytes : `${leastBytes} to ${mostBytes}`;
  throw new DataError(
    `${title}: ${path} has ${size} bytes, expected ${expected}, so it is ` +
      `${size < leastBytes ? 'truncated' : 'too long'}; fetch it again from ${url}`,
  );
}

/** A file in memory that worker threads can see too, so that none needs a copy of its own. */
async function readShared(path: string): Promise<Uint8Array> {
  const { open } = await import('node:fs/promises');
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const bytes = new Uint8Array(new SharedArrayBuffer(size));
    let length = 0;
    while (length < size) {
      const { bytesRead } = await handle.read(bytes, length, size - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } finally {
    await handle.close();
  }
}
