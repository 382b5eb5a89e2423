import { crc32, latin1 } from '@firelight/tensor/formats';
import { DataError } from '../../core/errors.ts';

/** The eight bytes with which every PNG begins. */
const SIGNATURE: readonly number[] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** What a PNG is made of: a type of four letters and bytes. */
interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** Length and type before the bytes of a chunk, and the checksum after them. */
const OVERHEAD = 12;

/**
 * The chunks of a PNG up to `IEND`, with their checksums checked; what follows `IEND` is ignored, as
 * libpng and PIL do.
 *
 * @throws DataError where the file is cut or a checksum is wrong
 * @see PNG specification, third edition, "Chunk layout"
 */
export function* readChunks(bytes: Uint8Array): IterableIterator<Chunk> {
  if (!SIGNATURE.every((byte, at) => bytes[at] === byte)) {
    throw new DataError('its first eight bytes are not those of a PNG');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = SIGNATURE.length; ; ) {
    if (bytes.length - at < OVERHEAD)
      throw new DataError('it is cut: its last chunk, IEND, is missing');
    const length = view.getUint32(at);
    const type = latin1(bytes.subarray(at + 4, at + 8));
    if (!/^[A-Za-z]{4}$/.test(type)) {
      throw new DataError('the type of one of its chunks is not four letters');
    }
    if (length > bytes.length - at - OVERHEAD) {
      throw new DataError(
        `it is cut: chunk ${type} needs ${length} bytes, only ` +
          `${bytes.length - at - OVERHEAD} are left`,
      );
    }
    const end = at + 8 + length;
    if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end)) {
      throw new DataError(`the checksum of its chunk ${type} is wrong`);
    }
    if (type === 'IEND') return;
    yield { type, data: bytes.subarray(at + 8, end) };
    at = end + 4;
  }
}
