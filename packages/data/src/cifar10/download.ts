import { DataError } from '../errors.ts';
import { CIFAR_FOLDER } from './constants.ts';
import { CIFAR10_URL } from './files.ts';
import { unpackCifar10 } from './unpack.ts';

/** Bytes of the archive that have arrived, and how many there are if the server says so. */
export interface DownloadProgress {
  readonly receivedBytes: number;
  readonly totalBytes: number | null;
}

/** Where the archive comes from and how to follow it. */
export interface DownloadOptions {
  /** Default: the address its authors published. */
  readonly url?: string;
  /** MD5 of the archive. Default: the published one. */
  readonly md5?: string;
  /** Called whenever bytes arrive. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Longest silence of the server, in milliseconds, before giving up. Default 10000. */
  readonly timeoutMs?: number;
}

const PUBLISHED_MD5 = 'c32a1d4ab5d03f1284b67883e8d87530';

/**
 * Fetches CIFAR-10's binary archive (162 MB), checks its MD5 and unpacks the six `.bin` files into
 * `directory/cifar-10-batches-bin`. Either all six files are put there or none.
 *
 * @returns the folder with the files
 * @throws DataError if the server cannot be reached or breaks off, the archive is not the expected
 *   one, or the folder cannot be written
 */
export async function downloadCifar10(
  directory: string,
  options: DownloadOptions = {},
): Promise<string> {
  const { url = CIFAR10_URL, md5 = PUBLISHED_MD5 } = options;
  const { mkdir, rm, rmdir } = await import('node:fs/promises');
  const { join } = await import('node:path');
  const part = join(directory, 'cifar-10-binary.tar.gz.part');
  let created: string | undefined;
  try {
    created = await mkdir(directory, { recursive: true });
    const received = await fetchTo(part, url, options);
    if (received !== md5) {
      throw new DataError(`${url} has MD5 ${received}, expected ${md5}: it is not the archive`);
    }
    const folder = await unpackCifar10(part, directory);
    await rm(part);
    return folder;
  } catch (error) {
    await rm(part, { force: true });
    // A folder that was made for this alone; it stays if something is in it.
    if (created !== undefined) await rmdir(directory).catch(() => {});
    throw new DataError(
      `downloadCifar10: ${reasonOf(error)}; try again, or fetch ${CIFAR10_URL} elsewhere and put ` +
        `its .bin files into ${join(directory, CIFAR_FOLDER)}`,
      { cause: error },
    );
  }
}

/** Streams the archive into a file; returns its MD5 in hexadecimal. */
async function fetchTo(
  path: string,
  url: string,
  { onProgress, timeoutMs = 10_000 }: DownloadOptions,
): Promise<string> {
  const { createHash } = await import('node:crypto');
  const { createWriteStream } = await import('node:fs');
  const { pipeline } = await import('node:stream/promises');

  const silence = new AbortController();
  const giveUp = (): void =>
    silence.abort(new DataError(`${url} has sent nothing for ${timeoutMs / 1000} s`));
  let timer = setTimeout(giveUp, timeoutMs);
  let receivedBytes = 0;
  let totalBytes: number | null = null;
  try {
    const response = await fetch(url, { signal: silence.signal });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new DataError(`${url} answered ${response.status} ${response.statusText}`.trimEnd());
    }
    const length = response.headers.get('content-length');
    totalBytes = length === null ? null : Number(length);
    const hash = createHash('md5');
    const body = response.body;
    await pipeline(async function* () {
      for await (const chunk of body) {
        clearTimeout(timer);
        timer = setTimeout(giveUp, timeoutMs);
        hash.update(chunk);
        receivedBytes += chunk.length;
        onProgress?.({ receivedBytes, totalBytes });
        yield chunk;
      }
    }, createWriteStream(path));
    return hash.digest('hex');
  } catch (error) {
    // fetch reports every network failure as a TypeError: "fetch failed" before the answer,
    // "terminated" in the middle of it.
    if (!(error instanceof TypeError)) throw error;
    const progress = `broke off after ${receivedBytes} of ${totalBytes ?? 'unknown'} bytes`;
    const failure = receivedBytes === 0 ? 'cannot be reached' : progress;
    throw new DataError(`${url} ${failure} (${reasonOf(error.cause ?? error)})`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** The shortest honest text for an error: system errors of several addresses have a code only. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}
