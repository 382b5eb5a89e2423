import type { Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { DataError } from '../core/errors.ts';
import { nodeModule } from '../core/node.ts';

/** Bytes of a file that have arrived, and how many there are if the server says so. */
export interface DownloadProgress {
  /** Name of the file. */
  readonly name: string;
  readonly receivedBytes: number;
  readonly totalBytes: number | null;
}

/** One file on the web and how it is fetched. */
export interface FetchOptions {
  readonly name: string;
  readonly md5: string;
  /** More than so many bytes are never written. */
  readonly mostBytes: number;
  readonly onProgress: (progress: DownloadProgress) => void;
  /** Longest silence of the server, in milliseconds. */
  readonly timeoutMs: number;
  /** How often a connection that breaks is made again. */
  readonly retries: number;
  /** Pause before the first retry, in milliseconds; it doubles with each. */
  readonly retryDelayMs: number;
}

/** Most letters of a server's own words that are shown. */
const MOST_STATUS = 60;

/** A connection that failed in a way that another try may mend. */
class Interruption extends DataError {}

/** The file as far as it is there, with the checksum of what it holds. */
interface Part {
  readonly handle: FileHandle;
  hash: Hash;
  length: number;
  /** Whether a server has answered; one that never did is not asked again. */
  isReached: boolean;
}

/**
 * Fetches a file into `path`, going on from what is there already, until its MD5 is right. Whoever
 * delivers the bytes, the checksum decides, so the parts may come from several servers.
 *
 * @throws DataError if the server cannot be reached or keeps breaking off, in which case what
 *   arrived stays in `path`; or if it sends other bytes, in which case `path` is removed
 */
export async function fetchFile(path: string, url: string, options: FetchOptions): Promise<void> {
  const { open, rm } = nodeModule('node:fs/promises');
  const handle = await open(path, 'a+');
  let isWrong = false;
  try {
    const part = await readPart(handle);
    const resumed = part.length > 0;
    await fetchRest(part, url, options);
    // What was there may have been of another file; once more without it.
    if (resumed && !isRight(part, options)) {
      await restart(part);
      await fetchRest(part, url, options);
    }
    isWrong = !isRight(part, options);
    if (isWrong) {
      throw new DataError(
        `${url} has MD5 ${digest(part)}, expected ${options.md5}: it is not ${options.name}`,
      );
    }
  } finally {
    await handle.close();
    if (isWrong) await rm(path, { force: true });
  }
}

const digest = ({ hash }: Part): string => hash.copy().digest('hex');
const isRight = (part: Part, { md5 }: FetchOptions): boolean => digest(part) === md5;

async function readPart(handle: FileHandle): Promise<Part> {
  const { createHash } = nodeModule('node:crypto');
  const hash = createHash('md5');
  let length = 0;
  for await (const chunk of handle.createReadStream({ start: 0, autoClose: false })) {
    hash.update(chunk);
    length += chunk.length;
  }
  return { handle, hash, length, isReached: false };
}

async function restart(part: Part): Promise<void> {
  const { createHash } = nodeModule('node:crypto');
  await part.handle.truncate(0);
  part.hash = createHash('md5');
  part.length = 0;
}

async function fetchRest(part: Part, url: string, options: FetchOptions): Promise<void> {
  if (isRight(part, options)) return;
  for (let attempt = 0; ; attempt++) {
    try {
      await fetchOnce(part, url, options);
      return;
    } catch (error) {
      if (!(error instanceof Interruption)) throw error;
      if (isRight(part, options)) return; // It broke off after the last byte.
      if (attempt === options.retries) throw error;
      const pause = options.retryDelayMs * 2 ** attempt;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** One connection: asks for what is missing and appends it. */
async function fetchOnce(part: Part, url: string, options: FetchOptions): Promise<void> {
  const { name, mostBytes, onProgress, timeoutMs } = options;
  const silence = new AbortController();
  const giveUp = (): void =>
    silence.abort(new Interruption(`${url} has sent nothing for ${timeoutMs / 1000} s`));
  let timer = setTimeout(giveUp, timeoutMs);
  let totalBytes: number | null = null;
  try {
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (part.length > 0) headers.range = `bytes=${part.length}-`;
    const response = await fetch(url, { signal: silence.signal, headers });
    part.isReached = true;
    const body = await bodyOf(response, part, url);
    if (body === null) return;
    const length = response.headers.get('content-length');
    totalBytes = length === null ? null : part.length + Number(length);
    if (totalBytes !== null && totalBytes > mostBytes) {
      await body.cancel();
      throw new DataError(`${url} has ${totalBytes} bytes, ${name} has at most ${mostBytes}`);
    }
    for await (const chunk of body) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, timeoutMs);
      if (part.length + chunk.length > mostBytes) {
        throw new DataError(`${url} sends more than ${mostBytes} bytes, too many for ${name}`);
      }
      await part.handle.writeFile(chunk);
      part.hash.update(chunk);
      part.length += chunk.length;
      onProgress({ name, receivedBytes: part.length, totalBytes });
    }
  } catch (error) {
    // fetch reports every network failure as a TypeError: "fetch failed" before the answer,
    // "terminated" in the middle of it.
    if (!(error instanceof TypeError)) throw error;
    const reason = reasonOf(error.cause ?? error);
    if (!part.isReached)
      throw new DataError(`${url} cannot be reached (${reason})`, { cause: error });
    const progress = `${part.length} of ${totalBytes ?? 'unknown'} bytes`;
    throw new Interruption(`${url} broke off after ${progress} (${reason})`, { cause: error });
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

/** The bytes that follow those of `part`, which starts anew if need be; null if none are missing. */
async function bodyOf(
  response: Response,
  part: Part,
  url: string,
): Promise<ReadableStream<Uint8Array> | null> {
  const { status, statusText, headers, body } = response;
  if (status === 416 && part.length > 0) {
    await body?.cancel();
    return null; // Nothing is beyond what is there; the checksum tells whether that is all.
  }
  if (!response.ok || body === null) {
    await body?.cancel();
    const problem = `${url} answered ${status} ${statusText.slice(0, MOST_STATUS)}`.trimEnd();
    throw status >= 500 || status === 429 ? new Interruption(problem) : new DataError(problem);
  }
  const start = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1];
  if (part.length > 0 && (status !== 206 || Number(start) !== part.length)) {
    // The server does not do ranges: with 200 it sends all, otherwise it sends what was not asked.
    await restart(part);
    if (status !== 206) return body;
    await body.cancel();
    throw new Interruption(`${url} sent another part than the one that was asked for`);
  }
  return body;
}

/** The shortest honest text for an error: system errors of several addresses have a code only. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}
