import { isNode, quote } from '@firelight/tensor/extend';
import {
  type ByteSource,
  bytesSource,
  encodeSafetensors,
  SAFETENSORS_LENGTH_BYTES as LENGTH_BYTES,
} from '@firelight/tensor/formats';
import { nodeModule } from '../core/node.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * What a checkpoint file says of itself. `format` is for other programs, which take no file whose
 * format they do not know; the rest is ours, under `firelight.`: the version, and a checksum, which
 * is the SHA-256 of the whole file, in which its own 64 digits stand as zeros.
 *
 * Our headers end in more spaces than a multiple of 8 bytes needs, as nobody else writes them. So a
 * file whose checksum differs was damaged if it has them, and written anew by another program if not.
 */
type Metadata = Snapshot['metadata'];

const FORMAT = 'pt';
const VERSION = '2';
const VERSION_KEY = 'firelight.version';
const CHECKSUM_KEY = 'firelight.sha256';
const CHECKSUM_START = `"${CHECKSUM_KEY}":"`;
const DIGITS = 64;
const PADDING = 8;
const PADDED = new RegExp(`[ \\t\\r\\n]{${PADDING}}$`);

/** The first version called itself by the format's own key. */
const FORMER = { format: 'firelight', version: '1' } as const;

/** The bytes of a file with its marks, which take the place of those in `metadata`. */
export async function encodeMarked({ tensors, metadata }: Snapshot): Promise<Uint8Array> {
  const marks = { format: FORMAT, [VERSION_KEY]: VERSION, [CHECKSUM_KEY]: '0'.repeat(DIGITS) };
  const file = encodeSafetensors(
    { tensors, metadata: { ...metadata, ...marks } },
    { extraPadding: PADDING },
  );
  const source = bytesSource(file, { name: 'checkpoint' });
  const at = findDigits(source);
  file.set(new TextEncoder().encode(await digestWithout(source, at)), at);
  return file;
}

/**
 * Whether a file is, byte for byte, one that Firelight wrote. If it says so, all of it is read, however
 * large it is: a training must never go on from damaged weights. Files of others have no checksum.
 *
 * @throws CheckpointError if it is damaged or of another version
 */
export async function isOriginal(source: ByteSource, metadata: Metadata): Promise<boolean> {
  const isFormer = metadata.format === FORMER.format;
  const version = isFormer ? metadata.formatVersion : metadata[VERSION_KEY];
  const digits = metadata[CHECKSUM_KEY];
  if (!isFormer && version === undefined && digits === undefined) return false;
  if (version !== undefined && version !== (isFormer ? FORMER.version : VERSION)) {
    throw source.error(
      `is in version ${quote(version)} of the format, this Firelight reads up to version ` +
        `${VERSION}; use the version of Firelight that wrote it`,
    );
  }
  const at = findDigits(source);
  const expected = at < 0 ? null : await digestWithout(source, at);
  if (version !== undefined && expected === digits) return true;
  if (isFormer || isPadded(source)) {
    const what =
      digits === undefined || expected === null
        ? 'it lacks its checksum'
        : `the checksum begins with ${quote(digits.slice(0, 12))} and the content's with ${quote(expected.slice(0, 12))}`;
    const cause = isFormer ? 'damaged, or written anew by another program' : 'damaged';
    throw source.error(`${what}, so the file was ${cause}; take an earlier checkpoint`);
  }
  return false;
}

function headerOf(source: ByteSource): string {
  const start = source.bytes(0, LENGTH_BYTES);
  const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
  // Whatever the bytes mean, one character each, so that places in the text are those in the file.
  return new TextDecoder('latin1').decode(source.bytes(LENGTH_BYTES, LENGTH_BYTES + length));
}

function isPadded(source: ByteSource): boolean {
  return PADDED.test(headerOf(source).slice(-PADDING));
}

/** Where the digits are; −1 if there are none. JSON escapes quotes, so no string can look like it. */
function findDigits(source: ByteSource): number {
  const at = headerOf(source).indexOf(CHECKSUM_START);
  return at < 0 ? -1 : LENGTH_BYTES + at + CHECKSUM_START.length;
}

/** Files up to this size are digested at once, in the background; larger ones in pieces of it. */
const PIECE = 2 ** 26;

/** The SHA-256 of a file, in hexadecimal digits, with zeros in the place of those at `at`. */
async function digestWithout(source: ByteSource, at: number): Promise<string> {
  const blanked = (start: number, end: number): Uint8Array<ArrayBuffer> => {
    const piece = new Uint8Array(source.bytes(start, end)); // A copy, to be changed.
    const clamp = (place: number): number => Math.min(Math.max(place - start, 0), piece.length);
    return piece.fill(0x30, clamp(at), clamp(at + DIGITS));
  };
  const { size } = source;
  // A browser digests nothing in pieces, and has all of the file in memory.
  if (size <= PIECE || !isNode()) {
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', blanked(0, size)));
    return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  const { createHash } = nodeModule('node:crypto');
  const hash = createHash('sha256');
  for (let start = 0; start < size; start += PIECE) {
    hash.update(blanked(start, Math.min(start + PIECE, size)));
  }
  return hash.digest('hex');
}
