import { type ByteSource, crc32, lastBytes } from '@firelight/tensor/formats';

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

function checksum(source: ByteSource, end: number): number {
  let crc = 0;
  for (let at = 0; at < end; at += STEP) {
    crc = crc32(source.bytes(at, Math.min(end, at + STEP)), crc);
  }
  return crc;
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
  const found = checksum(source, end);
  if (said === found) return end;
  throw source.error(
    `ends with the checksum ${said.toString(16)} and its content has ${found.toString(16)}, so it was ` +
      'damaged; take an earlier checkpoint, or copy it again',
  );
}
