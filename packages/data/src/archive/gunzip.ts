import { DataError } from '../core/errors.ts';

/** A file's bytes and its name in messages. */
interface NamedBytes {
  readonly bytes: Uint8Array;
  readonly source: string;
}

/** More than so many bytes are never unpacked. */
const MOST_BYTES = 500e6;

/**
 * What a file unzips to, or the file itself if it is not packed by gzip.
 *
 * @throws DataError if it is damaged, or unpacks to more than 500 MB
 */
export async function gunzipWhole({ bytes, source }: NamedBytes): Promise<NamedBytes> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return { bytes, source };
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    const packed = new Blob([new Uint8Array(bytes)]).stream();
    // The same stream as that of `node:stream/web`, whose types are declared once more.
    const unpacked = packed.pipeThrough(new DecompressionStream('gzip'));
    for await (const chunk of unpacked as unknown as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MOST_BYTES) break;
    }
  } catch (error) {
    throw new DataError(`${source}: is no whole gzip file; fetch it again`, { cause: error });
  }
  if (length > MOST_BYTES) {
    throw new DataError(`${source}: unpacks to more than ${MOST_BYTES} bytes, too many to be read`);
  }
  // Memory that worker threads can see too.
  const shared = typeof SharedArrayBuffer === 'undefined' ? ArrayBuffer : SharedArrayBuffer;
  const whole = new Uint8Array(new shared(length));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return { bytes: whole, source };
}
