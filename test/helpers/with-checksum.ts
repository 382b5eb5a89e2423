import { crc32 } from '@firelight/tensor/formats';

/** A file of the format `compact` with the checksum of what it holds, so that damage behind it is met too. */
export function withChecksum(file: Uint8Array): Uint8Array {
  const fixed = new Uint8Array(file);
  const length = Math.max(0, fixed.length - 4);
  if (fixed.length >= 4) {
    new DataView(fixed.buffer).setUint32(length, crc32(fixed.subarray(0, length)), true);
  }
  return fixed;
}
