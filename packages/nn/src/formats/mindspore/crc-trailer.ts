import { type ByteSource, lastBytes } from '@firelight/tensor/formats';

/**
 * With `crc_check=True` MindSpore ends a checkpoint with the text `crc_num` and the CRC-32 of all before
 * it, as ten bytes, big-endian. It is no field of the message.
 *
 * @see mindspore/python/mindspore/train/serialization.py, save_checkpoint
 */
const MARK = 'crc_num';
const DIGITS = 10;
const TRAILER_BYTES = MARK.length + DIGITS;

/** Bytes that are read at a time. */
const STEP = 2 ** 20;

/** What each byte adds to a CRC-32, by the reversed polynomial of zip and PNG. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  return rest;
});

function crc32(source: ByteSource, end: number): number {
  let crc = 0xffffffff;
  for (let at = 0; at < end; at += STEP) {
    const bytes = source.bytes(at, Math.min(end, at + STEP));
    for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff];
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * Where the messages of a checkpoint end: at its end, or before a checksum.
 *
 * @throws the source's error if there is a checksum, and it is another one
 */
export function endOfMessages(source: ByteSource): number {
  const trailer = lastBytes(source, TRAILER_BYTES);
  if (new TextDecoder('latin1').decode(trailer.subarray(0, MARK.length)) !== MARK)
    return source.size;
  const end = source.size - TRAILER_BYTES;
  const said = trailer.subarray(MARK.length).reduce((number, byte) => number * 256 + byte, 0);
  const found = crc32(source, end);
  if (said === found) return end;
  throw source.error(
    `ends with the checksum ${said.toString(16)} and its content has ${found.toString(16)}, so it was ` +
      'damaged; take an earlier checkpoint, or copy it again',
  );
}
