import { type NodeFile, type NodeFileSystem, nodeModule } from '../backend/host.ts';
import { type FirelightError, FormatError, ValueError } from '../core/errors.ts';
import { printablePath, systemReason } from '../core/messages.ts';

/** The bytes of a file, of which only what is asked for is read. */
export interface ByteSource {
  /** What the file is called in messages: printable, on one line. */
  readonly name: string;
  /** The length of the file in bytes. */
  readonly size: number;

  /**
   * The bytes from `start` to before `end`; perhaps a view of what others read too, so not to be
   * written to.
   *
   * @throws the source's error if the file ends before, was changed meanwhile, or cannot be read
   */
  bytes(start: number, end: number): Uint8Array;

  /** An error of the kind that whoever opened the file catches: `name: problem`. */
  error(problem: string, options?: ErrorOptions): FirelightError;
}

/** A class of errors about files. */
export type FileErrorClass = new (message: string, options?: ErrorOptions) => FirelightError;

/** What messages of a source begin with, and of which class they are, `FormatError` by default. */
export interface ByteSourceOptions {
  readonly name: string;
  readonly error?: FileErrorClass;
}

/**
 * Bytes in memory as a source; its `bytes` are views of them.
 *
 * @param bytes must stay as they are while the source is used
 */
export function bytesSource(
  bytes: Uint8Array,
  { name, error: ErrorClass = FormatError }: ByteSourceOptions,
): ByteSource {
  const shown = printablePath(name);
  return newSource(
    shown,
    bytes.length,
    (problem, options) => new ErrorClass(`${shown}: ${problem}`, options),
    (start, end) => bytes.subarray(start, end),
  );
}

/** The bytes from `start` to before `end` of another source, with messages that also name the part. */
export function partOfSource(
  source: ByteSource,
  part: string,
  start: number,
  end: number,
): ByteSource {
  expectInside(source, start, end);
  return derivedSource(source, part, end - start, (from, to) =>
    source.bytes(start + from, start + to),
  );
}

/** What was made from a part of another source, such as its unpacked bytes, with messages that name the part. */
export function derivedSource(
  source: ByteSource,
  part: string,
  size: number,
  read: ByteSource['bytes'],
): ByteSource {
  const error: ByteSource['error'] = (problem, options) =>
    source.error(`${part}: ${problem}`, options);
  return newSource(`${source.name}: ${part}`, size, error, read);
}

function newSource(
  name: string,
  size: number,
  error: ByteSource['error'],
  read: ByteSource['bytes'],
): ByteSource {
  const source: ByteSource = {
    name,
    size,
    bytes(start, end) {
      expectInside(source, start, end);
      return read(start, end);
    },
    error,
  };
  return source;
}

function expectInside(source: ByteSource, start: number, end: number): void {
  if (start >= 0 && start <= end && end <= source.size) return;
  throw source.error(
    `ends at byte ${source.size} where bytes ${start} to ${end} should be; it is cut off or damaged`,
  );
}

/** The first bytes of a source, `length` of them if there are as many. */
export function firstBytes(source: ByteSource, length: number): Uint8Array {
  return source.bytes(0, Math.min(length, source.size));
}

/** The last bytes of a source, `length` of them if there are as many. */
export function lastBytes(source: ByteSource, length: number): Uint8Array {
  return source.bytes(Math.max(0, source.size - length), source.size);
}

/** Files up to this size are read when they are opened. */
const READ_AT_ONCE = 2 ** 26;

/** How `fileSource` opens a file. */
export interface FileSourceOptions {
  /** The class of errors, `FormatError` by default. */
  readonly error?: FileErrorClass;
  /** Files up to so many bytes are read at once; 2²⁶ (64 MiB) by default. */
  readonly readAtOnce?: number;
}

/**
 * A file of Node as a source. A small one is read at once, and may be replaced or removed afterwards. Of
 * a larger one only the parts that are asked for are read, whenever they are, and never from a file that
 * has been changed since it was opened; between two readings it is not held open.
 *
 * @throws FormatError, or `error`, if the file cannot be read; ValueError where there are no files, as in
 *   browsers
 */
export async function fileSource(
  path: string,
  { error: ErrorClass = FormatError, readAtOnce = READ_AT_ONCE }: FileSourceOptions = {},
): Promise<ByteSource> {
  const fs = nodeModule('node:fs');
  if (fs === undefined) {
    throw new ValueError('fileSource: only Node has files; pass the bytes to bytesSource');
  }
  const name = printablePath(path);
  const error: ByteSource['error'] = (problem, options) =>
    new ErrorClass(`${name}: ${problem}`, options);
  const unreadable = (cause: unknown): FirelightError =>
    error(`${systemReason(cause)}; pass the path of a file that can be read`, { cause });
  const found = await fs.promises.stat(path).catch((cause: unknown) => {
    throw unreadable(cause);
  });
  // What is no regular file, such as a pipe, has neither size nor places.
  if (!found.isFile() || found.size <= readAtOnce) {
    const bytes = await fs.promises.readFile(path).catch((cause: unknown) => {
      throw unreadable(cause);
    });
    return bytesSource(bytes, { name: path, error: ErrorClass });
  }
  return newSource(name, found.size, error, (start, end) => {
    let part: Uint8Array | null;
    try {
      part = readPart(fs, path, found, start, end);
    } catch (cause) {
      throw unreadable(cause);
    }
    if (part === null) throw error('was changed after it was opened; open it again');
    return part;
  });
}

/** Bytes of a file, or null if it is not the one any more that was found before. */
function readPart(
  fs: NodeFileSystem,
  path: string,
  found: NodeFile,
  start: number,
  end: number,
): Uint8Array | null {
  const descriptor = fs.openSync(path, 'r');
  try {
    const { dev, ino, size, mtimeMs } = fs.fstatSync(descriptor);
    const isSame =
      dev === found.dev && ino === found.ino && size === found.size && mtimeMs === found.mtimeMs;
    if (!isSame) return null;
    const bytes = new Uint8Array(end - start);
    for (let length = 0; length < bytes.length; ) {
      const count = fs.readSync(descriptor, bytes, length, bytes.length - length, start + length);
      if (count === 0) return null; // It was cut while it was read.
      length += count;
    }
    return bytes;
  } finally {
    fs.closeSync(descriptor);
  }
}
