import { inflate } from '@firelight/tensor/formats';
import { DataError } from '../../core/errors.ts';
import type { Image } from '../../core/image.ts';
import { checkPixels } from '../limit.ts';
import { readChunks } from './chunks.ts';
import { type Pass, type PngHeader, parseHeader, passesOf } from './header.ts';
import { unfilter } from './unfilter.ts';

/** The chunks that make the picture. */
interface Parts {
  readonly header: PngHeader;
  readonly palette: Uint8Array | null;
  /** The zlib stream in pieces. */
  readonly data: readonly Uint8Array[];
}

/**
 * Decodes a PNG of any colour type, depth and interlacing to `[H, W, 3]` bytes as PIL's
 * `convert('RGB')`: opacity and `tRNS` are dropped, and so is the lower byte of 16 bits (of 16-bit
 * grey too, as in OpenCV, where PIL saturates). Colour profiles and gamma are not applied.
 *
 * @throws DataError if the file is damaged, or larger than `maxBytes` when decoded
 * @see PNG specification, third edition, https://www.w3.org/TR/png-3/
 */
export async function decodePng(bytes: Uint8Array, maxBytes: number): Promise<Image> {
  const { header, palette, data } = collectParts(bytes, maxBytes);
  const { width, height, depth, channels } = header;
  const passes = passesOf(header);
  const raw = await inflate(data, {
    format: 'deflate',
    length: passes.reduce((sum, pass) => sum + pass.height * (pass.rowBytes + 1), 0),
    error: (problem, options) => new DataError(problem, options),
  });
  const pixels = new Uint8Array(width * height * 3);
  const step = Math.max((channels * depth) / 8, 1);
  const place =
    depth < 8 || channels === 1 ? placerByTable(header, palette) : placerOfBytes(header);
  let start = 0;
  for (const pass of passes) {
    unfilter(raw, start, pass, step);
    for (let row = 0; row < pass.height; row++) {
      const y = pass.firstRow + row * pass.rowStep;
      const into = (y * width + pass.firstColumn) * 3;
      place(raw, start + row * (pass.rowBytes + 1) + 1, pass, pixels, into);
    }
    start += pass.height * (pass.rowBytes + 1);
  }
  return { data: pixels, height, width, channels: 3, layout: 'HWC' };
}

function collectParts(bytes: Uint8Array, maxBytes: number): Parts {
  let header: PngHeader | null = null;
  let palette: Uint8Array | null = null;
  const data: Uint8Array[] = [];
  for (const chunk of readChunks(bytes)) {
    if (header === null) {
      if (chunk.type !== 'IHDR') {
        throw new DataError(`it begins with chunk ${chunk.type} instead of IHDR`);
      }
      header = parseHeader(chunk.data);
      checkPixels(header, maxBytes);
    } else if (chunk.type === 'PLTE') {
      palette = chunk.data;
    } else if (chunk.type === 'IDAT') {
      data.push(chunk.data);
    } else if (isCritical(chunk.type)) {
      throw new DataError(`it has a chunk ${chunk.type}, which cannot be read or left out`);
    }
  }
  if (header === null) throw new DataError('it has no header');
  if (data.length === 0) throw new DataError('it has no data: no chunk IDAT');
  if (header.colorType === 'palette') checkPalette(palette, header.depth);
  return { header, palette, data };
}

/** Whether a chunk must be understood: a capital comes first in its type. */
function isCritical(type: string): boolean {
  return (type.charCodeAt(0) & 0x20) === 0;
}

function checkPalette(palette: Uint8Array | null, depth: number): void {
  const length = palette?.length ?? 0;
  if (length === 0 || length % 3 !== 0 || length > 3 * 2 ** depth) {
    throw new DataError(
      palette === null
        ? 'it has no palette: no chunk PLTE'
        : `its palette has ${length} bytes instead of 3 for each of up to ${2 ** depth} colours`,
    );
  }
}

/** Writes a row of `raw` that begins at `at` into `pixels`, beginning at `into`. */
type Placer = (raw: Uint8Array, at: number, pass: Pass, pixels: Uint8Array, into: number) => void;

/** For pixels of one sample of at most 8 bits (or 16, of which the upper are taken). */
function placerByTable({ depth, colorType }: PngHeader, palette: Uint8Array | null): Placer {
  const bits = Math.min(depth, 8);
  const white = 2 ** bits - 1;
  const colors =
    colorType === 'palette' && palette !== null
      ? palette
      : Uint8Array.from({ length: 3 * (white + 1) }, (_, i) => (Math.floor(i / 3) * 255) / white);
  const count = colors.length / 3;
  return (raw, at, { width, columnStep }, pixels, into) => {
    for (let x = 0, to = into; x < width; x++, to += 3 * columnStep) {
      const bit = x * depth;
      const sample = (raw[at + (bit >> 3)] >> (8 - bits - (bit & 7))) & white;
      if (sample >= count) {
        throw new DataError(`a pixel has colour ${sample} of a palette of ${count}`);
      }
      pixels[to] = colors[3 * sample];
      pixels[to + 1] = colors[3 * sample + 1];
      pixels[to + 2] = colors[3 * sample + 2];
    }
  };
}

/** For pixels of several samples of 8 bits, or 16, of which the upper are taken. */
function placerOfBytes({ depth, channels }: PngHeader): Placer {
  const sampleBytes = depth / 8;
  const step = channels * sampleBytes;
  const green = channels < 3 ? 0 : sampleBytes;
  const blue = 2 * green;
  return (raw, at, { width, columnStep }, pixels, into) => {
    for (let x = 0, from = at, to = into; x < width; x++, from += step, to += 3 * columnStep) {
      pixels[to] = raw[from];
      pixels[to + 1] = raw[from + green];
      pixels[to + 2] = raw[from + blue];
    }
  };
}
