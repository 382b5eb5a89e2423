import { CheckpointError } from '../errors.ts';

/**
 * A checksum inside the file that it protects: SHA-256 of the whole file, in which the 64 digits
 * themselves stand as zeros. They are part of the safetensors header, so other programs can read
 * the file all the same.
 */
const NAME = 'firelight.sha256';
const KEY = `"${NAME}":"`;
const DIGITS = 64;

/** What the metadata holds before the checksum is known. */
export const NO_CHECKSUM = { [NAME]: '0'.repeat(DIGITS) } as const;

/** Where the digits are; −1 if there are none. JSON escapes quotes, so no string can look like it. */
function findDigits(file: Uint8Array): number {
  const headerEnd = 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = new TextDecoder('latin1').decode(
    file.subarray(0, Math.min(headerEnd, file.length)),
  );
  const at = header.indexOf(KEY);
  return at < 0 ? -1 : at + KEY.length;
}

async function digestWithout(file: Uint8Array, at: number): Promise<string> {
  const blank = new Uint8Array(file); // A copy, also of a Buffer, whose slice() is none.
  blank.fill(0x30, at, at + DIGITS);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', blank));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Writes the checksum into a file whose metadata has `NO_CHECKSUM`. */
export async function seal(file: Uint8Array): Promise<Uint8Array> {
  const at = findDigits(file);
  file.set(new TextEncoder().encode(await digestWithout(file, at)), at);
  return file;
}

/**
 * Compares the checksum of a whole safetensors file.
 *
 * @returns whether it has one; those of other programs have none
 * @throws CheckpointError if it differs
 */
export async function verify(file: Uint8Array, source: string): Promise<boolean> {
  const at = findDigits(file);
  if (at < 0) return false;
  const found = new TextDecoder('latin1').decode(file.subarray(at, at + DIGITS));
  const expected = await digestWithout(file, at);
  if (found !== expected) {
    throw new CheckpointError(
      `${source}: the checksum is ${found.slice(0, 12)}… and the content's is ` +
        `${expected.slice(0, 12)}…, so the file was damaged; take an earlier checkpoint`,
    );
  }
  return true;
}
