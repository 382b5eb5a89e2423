import { DataError } from '../core/errors.ts';
import { nodeModule } from '../core/node.ts';
import {
  type Archive,
  type ArchiveFile,
  allFiles,
  type Forms,
  hasRightSize,
  sizesOf,
} from './archive.ts';

/** The files of one form that a folder has. */
interface Place<Form extends Archive> {
  readonly folder: string;
  readonly archive: Form;
  /** Sizes of the files that were asked for; null for one that is not there. */
  readonly sizes: ReadonlyMap<ArchiveFile, number | null>;
}

/** The bytes of a file, the form it belongs to, and its path. */
export interface FileBytes<Form extends Archive> {
  readonly archive: Form;
  readonly bytes: Uint8Array;
  readonly source: string;
}

export async function isFile(path: string): Promise<boolean> {
  const { stat } = nodeModule('node:fs/promises');
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function look<Form extends Archive>(
  folder: string,
  archive: Form,
  files: readonly ArchiveFile[],
): Promise<{ place: Place<Form>; count: number }> {
  const { stat } = nodeModule('node:fs/promises');
  const { join } = nodeModule('node:path');
  const sizes = new Map<ArchiveFile, number | null>();
  let count = 0;
  for (const file of files) {
    const found = await stat(join(folder, file.name)).catch(() => null);
    const isThere = found?.isFile() === true;
    sizes.set(file, isThere ? found.size : null);
    if (isThere) count++;
  }
  return { place: { folder, archive, sizes }, count };
}

/** `path` or the folder in it with the most files of the split, or of all; null if none has any. */
async function locate<Split extends string, Form extends Archive<Split>>(
  path: string,
  forms: Forms<Form>,
  split: Split | null,
): Promise<Place<Form> | null> {
  const { join } = nodeModule('node:path');
  let best: { place: Place<Form> | null; count: number } = { place: null, count: 0 };
  for (const archive of forms) {
    const files = split === null ? allFiles(archive) : archive.files[split];
    for (const folder of [path, join(path, archive.folder)]) {
      const found = await look(folder, archive, files);
      if (found.count > best.count) best = found;
    }
  }
  return best.place;
}

/** The folder, `path` or one in it, with the files of a data set; null if there is none. */
export async function locateFolder(path: string, forms: Forms): Promise<string | null> {
  return (await locate(path, forms, null))?.folder ?? null;
}

/** Whether `path` is a file, or all files of the split (null: of all splits) are at or in it, whole. */
export async function hasFiles<Split extends string>(
  path: string,
  forms: Forms<Archive<Split>>,
  split: Split | null,
): Promise<boolean> {
  if (await isFile(path)) return true;
  const place = await locate(path, forms, split);
  const isWhole = ([file, size]: [ArchiveFile, number | null]): boolean =>
    size !== null && hasRightSize(file, size);
  return place !== null && [...place.sizes].every(isWhole);
}

/** What to do where files are missing. */
export function whereToPutFiles(path: string, [archive]: Forms): string {
  const splits = Object.values(archive.files);
  const names = splits.slice(0, 2).map((files) => {
    const [first] = files;
    return files.length === 1 ? first.name : `${first.name} … ${files.at(-1)?.name}`;
  });
  return (
    `put ${names.join(' and ')} of ${archive.downloads[0].url} into ${path} or its folder ` +
    `${archive.folder}`
  );
}

/**
 * Reads one file, or the files of a split from a folder.
 *
 * @throws DataError if a file is missing, too short or too long
 */
export async function readFiles<Split extends string, Form extends Archive<Split>>(
  path: string,
  forms: Forms<Form>,
  split: Split,
): Promise<FileBytes<Form>[]> {
  const { join } = nodeModule('node:path');
  const [{ title }] = forms;
  if (await isFile(path)) {
    return [{ archive: forms[0], bytes: await readShared(path), source: path }];
  }
  const place = await locate(path, forms, split);
  if (place === null) {
    throw new DataError(
      `${title}: ${path} has no file of the ${split} split; ${whereToPutFiles(path, forms)}, ` +
        'or pass download: true',
    );
  }
  const { folder, archive, sizes } = place;
  for (const [file, size] of sizes) checkSize(join(folder, file.name), file, size, archive, split);
  return Promise.all(
    [...sizes.keys()].map(async ({ name }) => {
      const source = join(folder, name);
      return { archive, bytes: await readShared(source), source };
    }),
  );
}

function checkSize<Split extends string>(
  path: string,
  file: ArchiveFile,
  size: number | null,
  { title, downloads, files }: Archive<Split>,
  split: Split,
): void {
  const [{ url }] = downloads;
  if (size === null) {
    const names = files[split].map(({ name }) => name).join(', ');
    throw new DataError(
      `${title}: ${path} is missing, the ${split} split needs ${names}; ` +
        `fetch it from ${url} or pass download: true`,
    );
  }
  if (hasRightSize(file, size)) return;
  throw new DataError(
    `${title}: ${path} has ${size} bytes, expected ${sizesOf(file)}, so it is ` +
      `${size < file.leastBytes ? 'truncated' : 'too long'}; fetch it again from ${url}`,
  );
}

/** A file in memory that worker threads can see too, so that none needs a copy of its own. */
async function readShared(path: string): Promise<Uint8Array> {
  const { open } = nodeModule('node:fs/promises');
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
