import { type ByteSource, firstBytes } from '@firelight/tensor/formats';
import type { CheckpointFormat } from '../../checkpoint/format.ts';
import { decodeMindSpore } from './decode.ts';
import { encodeMindSpore } from './encode.ts';
import { optimizerIn } from './optimizer-state.ts';

/** Bytes that tell what a file is: two lengths and most names. */
const HEAD_BYTES = 256;

/** What an encrypted file begins with, little-endian, and how it was encrypted. */
const ENCRYPTED: ReadonlyMap<number, string> = new Map([
  [0x7f3a5ed8, 'AES-GCM'],
  [0x7f3a5ed9, 'AES-CBC'],
  [0x7f3a5eda, 'SM4-CBC'],
]);

function encryptionOf(source: ByteSource): string | null {
  const head = firstBytes(source, 4);
  if (head.length < 4) return null;
  const magic = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
  return ENCRYPTED.get(magic) ?? null;
}

/** Keys of fields with a length: a value, or its name; its tensor; its map. */
const [NAME, TENSOR, MAP] = [0x0a, 0x12, 0x1a];

/** The length that stands at `at`, and where it ends. */
function lengthAt(
  bytes: Uint8Array,
  at: number,
): { readonly length: number; readonly end: number } {
  let length = 0;
  let end = at;
  for (let scale = 1; end < bytes.length; scale *= 128) {
    const byte = bytes[end++];
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  return { length, end };
}

/** A value whose name comes first, and ends inside it, with a tensor or a map behind it. */
function beginsWithName(bytes: Uint8Array): boolean {
  const value = lengthAt(bytes, 1);
  const name = lengthAt(bytes, value.end + 1);
  const end = name.end + name.length;
  const isNamed = bytes[0] === NAME && bytes[value.end] === NAME && name.length > 0;
  // Of a long name the end is not looked at.
  const isBehind = end >= bytes.length || bytes[end] === TENSOR || bytes[end] === MAP;
  return isNamed && end - value.end < value.length && isBehind;
}

/** A checkpoint of MindSpore, `.ckpt`, whole or as the checkpoints of one training. */
export const MINDSPORE: CheckpointFormat = {
  name: 'mindspore',
  extensions: ['.ckpt'],

  recognise(source) {
    return beginsWithName(firstBytes(source, HEAD_BYTES)) || encryptionOf(source) !== null;
  },

  read(source) {
    const encryption = encryptionOf(source);
    if (encryption !== null) {
      throw source.error(
        `is encrypted by MindSpore (${encryption}), and there is no key to it here; load it in MindSpore ` +
          'with dec_key and save it without enc_key',
      );
    }
    const content = decodeMindSpore(source);
    const optimizer = optimizerIn(content);
    return {
      ...content,
      ...(optimizer === null ? {} : { optimizer }),
      isForeign: true,
      origin: 'mindspore',
    };
  },

  write: (snapshot) => encodeMindSpore(snapshot),
};
