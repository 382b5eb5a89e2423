import { expectThat, printablePath, systemReason } from '@firelight/tensor/extend';
import { expectOptions, expectText } from '../core/check.ts';
import { DataError } from '../core/errors.ts';
import type { Image } from '../core/image.ts';
import { nodeModule } from '../core/node.ts';
import { formatOf } from './formats.ts';
import { decodeJpeg } from './jpeg/decode.ts';
import { checkMaxBytes, DEFAULT_MAX_BYTES, type DecodeOptions } from './limit.ts';
import { decodePng } from './png/decode.ts';
import { Refusal } from './refusal.ts';

/**
 * Reads a PNG or JPEG, told by its first bytes, as an image `[H, W, 3]` of bytes: what PIL's
 * `convert('RGB')` gives, so grey is repeated and opacity is dropped. Rotations that EXIF asks for
 * and colour profiles are not applied. The decoders are plain JavaScript.
 *
 * @param options `source` is the name of the file in messages
 * @throws DataError if it is neither, damaged, of a kind that is not read, or larger than `maxBytes`
 * @throws ValueError if `bytes` is no Uint8Array or `maxBytes` no number above 0
 */
export async function decodeImage(
  bytes: Uint8Array,
  options: DecodeOptions & { readonly source?: string } = {},
): Promise<Image> {
  const { source: name = 'the picture', maxBytes = DEFAULT_MAX_BYTES } = expectOptions(
    'decodeImage',
    options,
  );
  expectThat(bytes instanceof Uint8Array, 'decodeImage', 'bytes', 'a Uint8Array', bytes);
  expectText('decodeImage: source', name);
  const source = printablePath(name);
  checkMaxBytes('decodeImage', maxBytes);
  const format = formatOf(bytes);
  if (format === 'png') return read(decodePng, bytes, maxBytes, `${source}: `, 'PNG');
  if (format === 'jpeg') return read(decodeJpeg, bytes, maxBytes, `${source}: `, 'JPEG');
  if (bytes.length === 0) throw new DataError(`${source}: is empty; replace or remove it`);
  const problem =
    format === null ? 'is neither PNG nor JPEG' : `is ${format.other}, which is not read`;
  throw new DataError(`${source}: ${problem}; convert it to PNG or JPEG`);
}

/** Decodes, with the name of the file in front of what is wrong with it. */
async function read(
  decode: (bytes: Uint8Array, maxBytes: number) => Promise<Image>,
  bytes: Uint8Array,
  maxBytes: number,
  prefix: string,
  format: string,
): Promise<Image> {
  try {
    return await decode(bytes, maxBytes);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const reason =
      error instanceof Refusal
        ? error.message
        : `cannot be read as ${format}: ${error.message}; replace or remove it`;
    throw new DataError(prefix + reason, { cause: error });
  }
}

/**
 * Reads a PNG or JPEG file as `decodeImage` does.
 *
 * @throws DataError with the file's name if it cannot be read or decoded
 * @throws ValueError if `path` is no text or `maxBytes` no number above 0
 */
export async function readImage(path: string, options: DecodeOptions = {}): Promise<Image> {
  expectText('readImage: path', path);
  expectOptions('readImage', options);
  const { readFile } = nodeModule('node:fs/promises');
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = isMissing ? 'no such file' : systemReason(error);
    throw new DataError(`${printablePath(path)}: ${reason}`, { cause: error });
  }
  return decodeImage(bytes, { ...options, source: path });
}
