import { CIFAR100_BINARY, type CifarArchive } from '../cifar/archive.ts';
import { type CifarForms, hasFiles, isFile } from '../cifar/files.ts';
import { CIFAR10_FORMS } from '../cifar/find.ts';
import { expectOptions, expectText, expectThat } from '../core/check.ts';
import { DataError } from '../core/errors.ts';
import { type DownloadProgress, fetchFile, reasonOf } from './fetch-file.ts';
import { withLock } from './lock.ts';
import { downloadProgressBar } from './progress-bar.ts';
import { unpackArchive } from './unpack.ts';

/** Where an archive comes from and how to follow it. */
export interface DownloadOptions {
  /** Which archive of CIFAR-10; both hold the same images. Default `'binary'`. */
  readonly form?: 'binary' | 'python';
  /** Addresses, mirrors for instance, tried in order. Default: the one its authors published. */
  readonly urls?: readonly string[];
  /** MD5 of the archive. Default: the published one. */
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

/** The published archives have 162 to 170 MB. */
const MOST_BYTES = 200e6;

/**
 * Fetches an archive of CIFAR-10 (binary 162 MB, python 163 MB), checks its MD5 and unpacks its six
 * files into `directory/cifar-10-batches-bin` or `-py`: all of them or none. If they are there, or
 * the archive itself is, nothing is fetched.
 *
 * A download that broke off goes on where it was, now or in a later call. Several processes may ask
 * for the same directory: one fetches, the others wait for it.
 *
 * @returns the folder with the files
 * @throws ValueError if an option is none of its kind
 * @throws DataError if no server delivers, the archive is not the expected one, or the folder cannot
 *   be written
 */
export function downloadCifar10(directory: string, options: DownloadOptions = {}): Promise<string> {
  return downloadArchive(directory, CIFAR10_FORMS, options);
}

/** The same for CIFAR-100 (binary, 161 MB), into `directory/cifar-100-binary`. */
export function downloadCifar100(
  directory: string,
  options: Omit<DownloadOptions, 'form'> = {},
): Promise<string> {
  return downloadArchive(directory, [CIFAR100_BINARY], options);
}

/**
 * Fetches and unpacks the archive of a data set that `options` names.
 *
 * @throws ValueError if an option is none of its kind
 */
export async function downloadArchive(
  directory: string,
  forms: CifarForms,
  options: DownloadOptions,
): Promise<string> {
  checkOptions(directory, options);
  const archive = forms[options.form === 'python' ? 1 : 0];
  if (archive === undefined) {
    throw new DataError(
      `download: ${forms[0].title} is read in its binary form only; leave form out`,
    );
  }
  const { mkdir, rmdir } = await import('node:fs/promises');
  const { join } = await import('node:path');
  let created: string | undefined;
  try {
    created = await mkdir(directory, { recursive: true });
    return await withLock(
      join(directory, `${archive.name}.lock`),
      () => fetchAndUnpack(directory, archive, options),
      () => {
        if (options.onProgress === null) return;
        process.stderr.write(
          `waiting: another process fetches ${archive.name} into ${directory}\n`,
        );
      },
    );
  } catch (error) {
    // A folder that was made for this alone; it stays if something is in it.
    if (created !== undefined) await rmdir(directory).catch(() => {});
    throw new DataError(
      `download of ${archive.title}: ${reasonOf(error)}; try again, which goes on from what ` +
        `arrived, or fetch ${archive.url} elsewhere and put it into ${directory}`,
      { cause: error },
    );
  }
}

function checkOptions(directory: string, options: DownloadOptions): void {
  expectText('download: directory', directory);
  const {
    form = 'binary',
    urls = [],
    md5,
    onProgress,
    ...others
  } = expectOptions('download', options);
  const isForm = form === 'binary' || form === 'python';
  expectThat(isForm, 'download: form', "'binary' or 'python'", form);
  const areUrls = Array.isArray(urls) && urls.every((url) => typeof url === 'string');
  expectThat(areUrls, 'download: urls', 'a list of addresses', urls);
  if (md5 !== undefined) expectText('download: md5', md5);
  const isListener = typeof (onProgress ?? Object) === 'function';
  expectThat(isListener, 'download: onProgress', 'a function or null', onProgress);
  const { timeoutMs = 1, retries = 0, retryDelayMs = 0 } = others;
  for (const [name, value] of Object.entries({ timeoutMs, retries, retryDelayMs })) {
    const isRight = Number.isFinite(value) && value >= 0;
    expectThat(isRight, `download: ${name}`, 'a finite number ≥ 0', value);
  }
}

async function fetchAndUnpack(
  directory: string,
  archive: CifarArchive,
  { urls = [archive.url], md5 = archive.md5, ...options }: DownloadOptions,
): Promise<string> {
  const { rename, rm, rmdir } = await import('node:fs/promises');
  const { join } = await import('node:path');
  const folder = join(directory, archive.folder);
  if (await hasFiles(folder, [archive], 'all')) return folder;
  const file = join(directory, archive.name);
  const isGiven = await isFile(file);
  if (isGiven) await checkGiven(file, md5);
  else {
    const part = `${file}.part`;
    const { onProgress = downloadProgressBar(), timeoutMs = 10_000 } = options;
    await fetchFirst(part, urls, {
      name: archive.name,
      md5,
      mostBytes: MOST_BYTES,
      onProgress: onProgress ?? (() => {}),
      timeoutMs,
      retries: options.retries ?? 4,
      retryDelayMs: options.retryDelayMs ?? 500,
    });
    await rename(part, file);
  }
  try {
    return await unpackArchive(file, directory, archive);
  } finally {
    if (!isGiven) await rm(file, { force: true });
    await rmdir(folder).catch(() => {}); // Only if nothing was put into it.
  }
}

/** Tries one address after the other; all complaints are in the error. */
async function fetchFirst(
  part: string,
  urls: readonly string[],
  options: Parameters<typeof fetchFile>[2],
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
  const { rm, stat } = await import('node:fs/promises');
  if ((await stat(part).catch(() => null))?.size === 0) await rm(part, { force: true });
  throw new DataError(complaints.length === 0 ? 'urls is empty' : complaints.join('; '));
}

async function checkGiven(path: string, md5: string): Promise<void> {
  const { createHash } = await import('node:crypto');
  const { createReadStream } = await import('node:fs');
  const hash = createHash('md5');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  const found = hash.digest('hex');
  if (found !== md5) {
    throw new DataError(
      `${path}, which is there, has MD5 ${found}, expected ${md5}; remove it to have it fetched`,
    );
  }
}
