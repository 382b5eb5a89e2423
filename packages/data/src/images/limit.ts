import { expectThat } from '@firelight/tensor/extend';
import { Refusal } from './refusal.ts';

/** How far decoding goes. */
export interface DecodeOptions {
  /**
   * Most bytes of the decoded image, 3 for each pixel; a larger picture is refused by its header.
   * Default 64 million, which is 21 megapixels.
   */
  readonly maxBytes?: number;
}

export const DEFAULT_MAX_BYTES = 64e6;

/** @throws ValueError unless it is a number above 0; Infinity is one */
export function checkMaxBytes(op: string, maxBytes: number): void {
  const isRight = typeof maxBytes === 'number' && maxBytes > 0;
  expectThat(isRight, op, 'maxBytes', 'a number above 0', maxBytes);
}

/** @throws Refusal if a picture of this size has more than `maxBytes` when decoded */
export function checkPixels(
  { width, height }: { readonly width: number; readonly height: number },
  maxBytes: number,
): void {
  const bytes = 3 * width * height;
  if (bytes > maxBytes) {
    throw new Refusal(
      `has ${width} × ${height} pixels, which are ${bytes} bytes when decoded, more than ` +
        `maxBytes allows (${maxBytes}); make it smaller or raise maxBytes`,
    );
  }
}
