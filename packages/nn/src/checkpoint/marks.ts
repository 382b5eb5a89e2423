import { quote } from '@firelight/tensor/extend';
import { CheckpointError } from '../core/errors.ts';
import { encodeSafetensors, LENGTH_BYTES } from './safetensors.ts';
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
  const at = findDigits(file);
  file.set(new TextEncoder().encode(await digestWithout(file, at)), at);
  return file;
}

/**
 * Whether a file is, byte for byte, one that Firelight wrote.
 *
 * @throws CheckpointError if it is damaged or of another version
 */
export async function isOriginal(
  file: Uint8Array,
  metadata: Metadata,
  source: string,
): Promise<boolean> {
  const isFormer = metadata.format === FORMER.format;
  const version = isFormer ? metadata.formatVersion : metadata[VERSION_KEY];
  const digits = metadata[CHECKSUM_KEY];
  if (!isFormer && version === undefined && digits === undefined) return false;
  if (version !== undefined && version !== (isFormer ? FORMER.version : VERSION)) {
    throw new CheckpointError(
      `${source}: is in version ${quote(version)} of the format, this Firelight reads up to version ` +
        `${VERSION}; use the version of Firelight that wrote it`,
    );
  }
  const at = findDigits(file);
  const expected = at < 0 ? null : await digestWithout(file, at);
  if (version !== undefined && expected === digits) return true;
  if (isFormer || isPadded(file)) {
    const what =
      digits === undefined || expected === null
        ? 'it lacks its checksum'
        : `the checksum begins with ${quote(digits.slice(0, 12))} and the content's with ${quote(expected.slice(0, 12))}`;
    const cause = isFormer ? 'damaged, or written anew by another program' : 'damaged';
    throw new CheckpointError(
      `${source}: ${what}, so the file was ${cause}; take an earlier checkpoint`,
    );
  }
  return false;
}

function headerOf(file: Uint8Array): string {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  // Whatever the bytes mean, one character each, so that places in the text are those in the file.
  return new TextDecoder('latin1').decode(file.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
}

function isPadded(file: Uint8Array): boolean {
  return PADDED.test(headerOf(file).slice(-PADDING));
}

/** Where the digits are; −1 if there are none. JSON escapes quotes, so no string can look like it. */
function findDigits(file: Uint8Array): number {
  const at = headerOf(file).indexOf(CHECKSUM_START);
  return at < 0 ? -1 : LENGTH_BYTES + at + CHECKSUM_START.length;
}

async function digestWithout(file: Uint8Array, at: number): Promise<string> {
  const blank = new Uint8Array(file); // A copy, also of a Buffer, whose slice() is none.
  blank.fill(0x30, at, at + DIGITS);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', blank));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
