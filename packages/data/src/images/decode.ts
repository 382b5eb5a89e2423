import { DataError } from '../errors.ts';
import type { Image } from '../image.ts';

/** Most memory that decoding one JPEG may take. */
const MOST_MEBIBYTES = 512;
/** Larger pictures are refused before they are unpacked. */
const MOST_PIXELS = 100e6;

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
 * Reads a PNG or JPEG as an image `[H, W, 3]` of bytes; what shows through is white. The decoders,
 * fast-png and jpeg-js, are plain JavaScript.
 *
 * @param options `source` is the name of the file in messages
 * @throws DataError if it is neither, damaged, or has over 100 million pixels
 */
export async function decodeImage(
  bytes: Uint8Array,
  { source = 'the picture' }: { readonly source?: string } = {},
): Promise<Image> {
  const isPng = bytes[0] === 0x89 && bytes[1] === 0x50;
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  if (!isPng && !isJpeg) {
    throw new DataError(`${source}: is neither PNG nor JPEG; convert it to one of them`);
  }
  try {
    return toImage(isPng ? await decodePng(bytes) : await decodeJpeg(bytes));
  } catch (error) {
    const format = isPng ? 'PNG' : 'JPEG';
    throw new DataError(
      `${source}: cannot be read as ${format}: ${(error as Error).message}; replace or remove it`,
      { cause: error },
    );
  }
}

/**
 * Reads a PNG or JPEG file as `decodeImage` does.
 *
 * @throws DataError with the file's name if it cannot be read or decoded
 */
export async function readImage(path: string): Promise<Image> {
  const { readFile } = await import('node:fs/promises');
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = isMissing ? 'no such file' : (error as Error).message;
    throw new DataError(`${path}: ${reason}`, { cause: error });
  }
  return decodeImage(bytes, { source: path });
}

async function decodePng(bytes: Uint8Array): Promise<Decoded> {
  const { decode } = await import('fast-png');
  if (bytes.length >= 24) {
    // The header comes first, so a small file that would unpack to gigabytes is seen in time.
    const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const pixels = header.getUint32(16) * header.getUint32(20);
    if (pixels > MOST_PIXELS) throw new Error(`it has ${pixels} pixels, at most ${MOST_PIXELS}`);
  }
  const { data, width, height, channels, depth, palette } = decode(bytes);
  if (palette === undefined) return { data, width, height, channels, white: 2 ** depth - 1 };
  const colours = Array.from(data).flatMap((index) => palette[index].slice(0, 3));
  return { data: colours, width, height, channels: 3, white: 255 };
}

async function decodeJpeg(bytes: Uint8Array): Promise<Decoded> {
  const { decode } = await import('jpeg-js');
  const { data, width, height } = decode(bytes, {
    useTArray: true,
    maxMemoryUsageInMB: MOST_MEBIBYTES,
    maxResolutionInMP: MOST_PIXELS / 1e6,
  });
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
