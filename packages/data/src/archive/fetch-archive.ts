import { DataError } from '../core/errors.ts';
import { nodeModule } from '../core/node.ts';
import { type Archive, type Download, isPacked } from './archive.ts';
import { type DownloadProgress, type FetchOptions, fetchFile, reasonOf } from './fetch-file.ts';
import { hasFiles, isFile } from './files.ts';
import { withLock } from './lock.ts';
import { downloadProgressBar } from './progress-bar.ts';
import { unpackArchive } from './unpack.ts';

/** Where an archive comes from and how to follow it. */
export interface ArchiveDownloadOptions {
  /**
   * Addresses, mirrors for instance, tried in order: of the archive, or of the folder of its files if
   * they come one by one. Default: the one its authors published.
   */
  readonly urls?: readonly string[];
  /** MD5 of the archive, if it comes in one file. Default: the published one. */
  readonly md5?: string;
  /** Called whenever bytes arrive. Default: a bar on standard error; null for none. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | null;
  /** Longest silence of a server, in milliseconds. Default 10000. */
  readonly timeoutMs?: number;
  /** How often a connection that breaks is made again, for each address. Default 4. */
  readonly retries?: number;
  /** Pause before the first retry, in milliseconds; it doubles with each. Default 500. */
  readonly retryDelayMs?: number;
}

/**
 * `downloadArchive`, with options that have been checked.
 *
 * @throws DataError if no server delivers, the archive is not the expected one, or the folder cannot
 *   be written
 */
export async function fetchArchive(
  directory: string,
  archive: Archive,
  options: ArchiveDownloadOptions,
): Promise<string> {
  const { mkdir, rmdir } = nodeModule('node:fs/promises');
  const { join } = nodeModule('node:path');
  const [{ name, url }] = archive.downloads;
  let created: string | undefined;
  try {
    created = await mkdir(directory, { recursive: true });
    return await withLock(
      join(directory, `${name}.lock`),
      () => fetchAll(directory, archive, options),
      () => {
        if (options.onProgress === null) return;
        process.stderr.write(`waiting: another process fetches ${name} into ${directory}\n`);
      },
    );
  } catch (error) {
    // A folder that was made for this alone; it stays if something is in it.
    if (created !== undefined) await rmdir(directory).catch(() => {});
    throw new DataError(
      `download of ${archive.title}: ${reasonOf(error)}; try again, which goes on from what ` +
        `arrived, or fetch ${url} elsewhere and put it into ${directory}`,
      { cause: error },
    );
  }
}

async function fetchAll(
  directory: string,
  archive: Archive,
  options: ArchiveDownloadOptions,
): Promise<string> {
  const { mkdir, rm, rmdir } = nodeModule('node:fs/promises');
  const { join } = nodeModule('node:path');
  const folder = join(directory, archive.folder);
  if (await hasFiles(folder, [archive], null)) return folder;
  const { urls, md5 } = options;
  if (!isPacked(archive)) {
    await mkdir(folder, { recursive: true });
    for (const download of archive.downloads) {
      const addresses = urls?.map((url) => `${url.replace(/\/$/, '')}/${download.name}`);
      await fetchOne(folder, archive, download, addresses ?? [download.url], options);
    }
    return folder;
  }
  const [published] = archive.downloads;
  const download = { ...published, md5: md5 ?? published.md5 };
  const isGiven = await isFile(join(directory, download.name));
  const file = await fetchOne(directory, archive, download, urls ?? [published.url], options);
  try {
    return await unpackArchive(file, directory, archive);
  } finally {
    if (!isGiven) await rm(file, { force: true });
    await rmdir(folder).catch(() => {}); // Only if nothing was put into it.
  }
}

/** Fetches one file into a folder, unless it is there; then its checksum has to be right. */
async function fetchOne(
  folder: string,
  { mostBytes }: Archive,
  { name, md5 }: Download,
  urls: readonly string[],
  options: ArchiveDownloadOptions,
): Promise<string> {
  const { rename } = nodeModule('node:fs/promises');
  const { join } = nodeModule('node:path');
  const file = join(folder, name);
  if (await isFile(file)) {
    await checkGiven(file, md5);
    return file;
  }
  const part = `${file}.part`;
  const { onProgress = downloadProgressBar(), timeoutMs = 10_000 } = options;
  await fetchFirst(part, urls, {
    name,
    md5,
    mostBytes,
    onProgress: onProgress ?? (() => {}),
    timeoutMs,
    retries: options.retries ?? 4,
    retryDelayMs: options.retryDelayMs ?? 500,
  });
  await rename(part, file);
  return file;
}

/** Tries one address after the other; all complaints are in the error. */
async function fetchFirst(
  part: string,
  urls: readonly string[],
  options: FetchOptions,
): Promise<void> {
  const complaints: string[] = [];
  for (const url of urls) {
    try {
      await fetchFile(part, url, options);
      return;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      complaints.push(error.message);
    }
  }
  const { rm, stat } = nodeModule('node:fs/promises');
  if ((await stat(part).catch(() => null))?.size === 0) await rm(part, { force: true });
  throw new DataError(complaints.length === 0 ? 'urls is empty' : complaints.join('; '));
}

async function checkGiven(path: string, md5: string): Promise<void> {
  const { createHash } = nodeModule('node:crypto');
  const { createReadStream } = nodeModule('node:fs');
  const hash = createHash('md5');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  const found = hash.digest('hex');
  if (found !== md5) {
    throw new DataError(
      `${path}, which is there, has MD5 ${found}, expected ${md5}; remove it to have it fetched`,
    );
  }
}
