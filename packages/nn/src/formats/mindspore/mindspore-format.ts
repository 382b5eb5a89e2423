import { type ByteSource, firstBytes } from '@firelight/tensor/formats';
import type { CheckpointFormat } from '../../checkpoint/format.ts';
import { decodeMindSpore } from './decode.ts';
import { encodeMindSpore } from './encode.ts';
import { optimizerIn } from './optimizer-state.ts';

/** Bytes that tell what a file is: two lengths and the beginning of a name. */
const HEAD_BYTES = 32;

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

/** The key of field 1 with a length behind it: of a value, and in it of its name. */
const FIRST_FIELD = 0x0a;

/** Where the length that begins at `at` ends. */
function afterLength(bytes: Uint8Array, at: number): number {
  return bytes.findIndex((byte, i) => i >= at && byte < 0x80) + 1;
}

/** A value, its length, a name, its length, and a character that can be in a name. */
function beginsWithName(bytes: Uint8Array): boolean {
  const name = afterLength(bytes, 1);
  const first = bytes[afterLength(bytes, name + 1)];
  return bytes[0] === FIRST_FIELD && bytes[name] === FIRST_FIELD && first > 0x20;
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
