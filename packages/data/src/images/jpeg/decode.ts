import { DataError } from '../../core/errors.ts';
import type { Image } from '../../core/image.ts';
import { checkPixels } from '../limit.ts';
import { readHeader } from './header.ts';

/** Bytes that jpeg-js may ask for, for each byte of the image: coefficients, planes and copies. */
const MEMORY_FACTOR = 12;
/** Blocks of small pictures are padded to whole units. */
const LEAST_MEBIBYTES = 16;

/**
 * Decodes a JPEG of 8 bits, baseline or progressive, grey, RGB, YCbCr, CMYK or YCCK, to `[H, W, 3]`
 * bytes. Rotations that EXIF asks for are not done, as in PIL and torchvision.
 *
 * @throws DataError if the file is damaged; Refusal if it is of another kind or too large
 */
export async function decodeJpeg(bytes: Uint8Array, maxBytes: number): Promise<Image> {
  const header = readHeader(bytes);
  checkPixels(header, maxBytes);
  const { width, height, isYcc } = header;
  const { decode } = await import('jpeg-js');
  try {
    const { data } = decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      colorTransform: isYcc,
      maxResolutionInMP: Infinity,
      maxMemoryUsageInMB: LEAST_MEBIBYTES + (MEMORY_FACTOR * 3 * width * height) / 2 ** 20,
    });
    return { data, height, width, channels: 3, layout: 'HWC' };
  } catch (error) {
    // Where data is damaged, jpeg-js fails with whatever error it runs into.
    const isMeant = error instanceof Error && error.constructor === Error;
    const reason = isMeant ? ` (${error.message})` : '';
    throw new DataError(`its coded data is damaged${reason}`, { cause: error });
  }
}
