import { readFile } from 'node:fs/promises';
import type { Image } from '@firelight/data';
import { ValueError } from '@firelight/tensor';

/** Most memory that decoding one JPEG may take. */
const MOST_MEBIBYTES = 512;

/** A picture as its decoder gives it: rows of pixels with 1 to 4 channels. */
interface Decoded {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Largest value of an element. */
  readonly white: number;
}

/**
 * Reads a PNG or JPEG file as `[H, W, 3]` bytes; what shows through is white.
 *
 * @throws ValueError in one sentence with the file's name
 */
export async function readPicture(path: string): Promise<Image> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ValueError(`${path}: ${isMissing ? 'no such file' : (error as Error).message}`);
  }
  const isPng = bytes[0] === 0x89 && bytes[1] === 0x50;
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  if (!isPng && !isJpeg) {
    throw new ValueError(`${path}: is neither PNG nor JPEG; convert it to one of them`);
  }
  try {
    return toImage(isPng ? await decodePng(bytes) : await decodeJpeg(bytes));
  } catch (error) {
    throw new ValueError(
      `${path}: cannot be read as ${isPng ? 'PNG' : 'JPEG'}: ${(error as Error).message}`,
    );
  }
}

async function decodePng(bytes: Uint8Array): Promise<Decoded> {
  const { decode } = await import('fast-png');
  const { data, width, height, channels, depth, palette } = decode(bytes);
  if (palette === undefined) return { data, width, height, channels, white: 2 ** depth - 1 };
  const colours = Array.from(data).flatMap((index) => palette[index].slice(0, 3));
  return { data: colours, width, height, channels: 3, white: 255 };
}

async function decodeJpeg(bytes: Uint8Array): Promise<Decoded> {
  const { decode } = await import('jpeg-js');
  const options = { useTArray: true, maxMemoryUsageInMB: MOST_MEBIBYTES } as const;
  const { data, width, height } = decode(bytes, options);
  return { data, width, height, channels: 4, white: 255 };
}

function toImage({ data, width, height, channels, white }: Decoded): Image {
  const pixels = new Uint8Array(width * height * 3);
  const isGrey = channels < 3;
  const hasOpacity = channels % 2 === 0;
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * channels;
    const opacity = hasOpacity ? data[at + channels - 1] / white : 1;
    for (let c = 0; c < 3; c++) {
      const value = data[at + (isGrey ? 0 : c)] / white;
      pixels[pixel * 3 + c] = Math.round(255 * (value * opacity + 1 - opacity));
    }
  }
  return { data: pixels, height, width, channels: 3, layout: 'HWC' };
}
