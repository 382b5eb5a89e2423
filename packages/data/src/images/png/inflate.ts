import { DataError } from '../../core/errors.ts';

/**
 * Unpacks a zlib stream that must give exactly `length` bytes; no more than so many are ever held.
 *
 * @param parts the stream in pieces
 * @throws DataError if it is damaged, or gives fewer bytes or more
 */
export async function inflate(parts: readonly Uint8Array[], length: number): Promise<Uint8Array> {
  // Node's own function takes a twentieth of the time of its stream where pictures are small.
  const isNode = typeof process !== 'undefined' && process.versions?.node !== undefined;
  const bytes = isNode ? await inflateInNode(parts, length) : await inflateStream(parts, length);
  if (bytes.length < length) {
    throw new DataError(`its data ends after ${bytes.length} of ${length} unpacked bytes`);
  }
  return bytes;
}

async function inflateInNode(parts: readonly Uint8Array[], length: number): Promise<Uint8Array> {
  const { inflateSync } = await import('node:zlib');
  try {
    return inflateSync(parts.length === 1 ? parts[0] : Buffer.concat(parts), {
      maxOutputLength: length,
    });
  } catch (error) {
    const isTooLong = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw isTooLong ? tooLong(length) : damaged(error);
  }
}

/** The same with what browsers have. */
export async function inflateStream(
  parts: readonly Uint8Array[],
  length: number,
): Promise<Uint8Array> {
  const { readable, writable } = new DecompressionStream('deflate');
  const writer = writable.getWriter();
  const writing = (async () => {
    for (const part of parts) await writer.write(part as BufferSource);
    await writer.close();
  })();
  writing.catch(() => {}); // The reader fails of the same cause.
  const reader = readable.getReader();
  const chunks: Uint8Array[] = [];
  let count = 0;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      count += value.length;
      if (count > length) throw tooLong(length);
      chunks.push(value);
    }
    await writing;
  } catch (error) {
    await reader.cancel().catch(() => {});
    throw error instanceof DataError ? error : damaged(error);
  }
  const bytes = new Uint8Array(count);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function tooLong(length: number): DataError {
  return new DataError(`its data unpacks to more than the ${length} bytes of its size`);
}

function damaged(error: unknown): DataError {
  const reason = error instanceof Error ? error.message : String(error);
  return new DataError(`its compressed data is damaged (${reason})`, { cause: error });
}
