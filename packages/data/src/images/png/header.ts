import { DataError } from '../../core/errors.ts';

/** How the colour of a pixel is stored. */
type ColorType = 'grey' | 'rgb' | 'palette' | 'greyAlpha' | 'rgbAlpha';

/** What `IHDR` says. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: number;
  readonly colorType: ColorType;
  /** Samples of a pixel. */
  readonly channels: number;
  readonly isInterlaced: boolean;
}

/** A grid of pixels that is stored as an image of its own: the whole, or one of Adam7's seven. */
export interface Pass {
  readonly firstColumn: number;
  readonly firstRow: number;
  readonly columnStep: number;
  readonly rowStep: number;
  readonly width: number;
  readonly height: number;
  /** Bytes of a row without the byte of its filter. */
  readonly rowBytes: number;
}

const COLOR_TYPES: Readonly<
  Record<number, { colorType: ColorType; channels: number; depths: readonly number[] }>
> = {
  0: { colorType: 'grey', channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { colorType: 'rgb', channels: 3, depths: [8, 16] },
  3: { colorType: 'palette', channels: 1, depths: [1, 2, 4, 8] },
  4: { colorType: 'greyAlpha', channels: 2, depths: [8, 16] },
  6: { colorType: 'rgbAlpha', channels: 4, depths: [8, 16] },
};

const MOST_SIDE = 2 ** 31 - 1;

/**
 * Reads the data of `IHDR`.
 *
 * @throws DataError if a value is none that the specification knows
 * @see PNG specification, third edition, "IHDR Image header"
 */
export function parseHeader(data: Uint8Array): PngHeader {
  if (data.length !== 13) throw new DataError(`its header has ${data.length} bytes instead of 13`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  if (width < 1 || height < 1 || width > MOST_SIDE || height > MOST_SIDE) {
    throw new DataError(`its header says ${width} × ${height} pixels`);
  }
  const [depth, colorNumber, compression, filter, interlace] = data.subarray(8);
  const color = COLOR_TYPES[colorNumber];
  if (color === undefined || !color.depths.includes(depth)) {
    throw new DataError(
      `its header says colour type ${colorNumber} with ${depth} bits, which PNG does not have`,
    );
  }
  if (compression !== 0 || filter !== 0 || interlace > 1) {
    throw new DataError(
      `its header says compression ${compression}, filter ${filter} and interlace ${interlace}, ` +
        'which PNG does not have',
    );
  }
  const { colorType, channels } = color;
  return { width, height, depth, colorType, channels, isInterlaced: interlace === 1 };
}

/** First column, first row, column step and row step of Adam7's passes. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** The grids in the order in which they are stored; those without a pixel are left out. */
export function passesOf({ width, height, depth, channels, isInterlaced }: PngHeader): Pass[] {
  const grids = isInterlaced ? ADAM7 : [[0, 0, 1, 1] as const];
  return grids
    .map(([firstColumn, firstRow, columnStep, rowStep]) => {
      const columns = Math.ceil((width - firstColumn) / columnStep);
      const rows = Math.ceil((height - firstRow) / rowStep);
      const rowBytes = Math.ceil((columns * channels * depth) / 8);
      return { firstColumn, firstRow, columnStep, rowStep, width: columns, height: rows, rowBytes };
    })
    .filter((pass) => pass.width > 0 && pass.height > 0);
}
