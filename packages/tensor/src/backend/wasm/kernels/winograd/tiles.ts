import { ALL_COLUMNS } from '../../micro-kernel/tile.ts';
import type { Address } from '../../runtime/address.ts';
import { keptTable } from '../../runtime/tables.ts';
import type { FieldValues } from '../../runtime/task.ts';
import type { Images } from '../images/images.ts';
import type { OutputTile } from './transforms.ts';

/** Bytes of one entry: input offset, output offset, rows and columns inside the output. */
export const TILE_ENTRY = 16;
export const TILE_FIELDS = { input: 0, output: 4, rows: 8, columns: 12 } as const;

/** Some tiles, by their entries. */
export const TILES = { address: 'address', count: 'i32' } as const;

/** Images in memory, those of one channel `planeBytes` behind those of the one before. */
export const PLANES_IN_MEMORY = {
  address: 'address',
  rowBytes: 'bytes',
  planeBytes: 'bytes',
} as const;

/** Where the images of a table of tiles lie. */
export function planesOf({ address, width, height }: Images): FieldValues<typeof PLANES_IN_MEMORY> {
  return { address, rowBytes: width * 4, planeBytes: width * height * 4 };
}

/** Tiles of all images. */
export function tilesOf(m: OutputTile, { count, height, width }: Images): number {
  return count * Math.ceil(height / m) * Math.ceil(width / m);
}

/** How images lie in memory: bytes from one to the next, and elements of a row. */
export interface TileLayout extends Pick<Images, 'width' | 'stride'> {
  /** Where only some lie there at a time: so many images, and so many rows of tiles of each. */
  readonly images?: number;
  readonly tileRows?: number;
}

/**
 * The tiles of all images, and empty ones (of no rows) up to a whole panel, of as many tiles as the
 * micro-kernel has columns on any machine.
 *
 * @param size the output's images, whose pixels the tiles cover
 */
export function tileTable(
  m: OutputTile,
  { count, height, width }: Pick<Images, 'count' | 'height' | 'width'>,
  input: TileLayout,
  output: TileLayout,
): Address {
  const { images = count, tileRows = height } = input;
  const layouts = [input.width, input.stride, images, tileRows, output.width, output.stride];
  return keptTable(`tiles ${[m, count, height, width, ...layouts].join(' ')}`, () => {
    const tiles = count * Math.ceil(height / m) * Math.ceil(width / m);
    const panels = Math.ceil(tiles / ALL_COLUMNS);
    const entries = new Int32Array((panels * ALL_COLUMNS * TILE_ENTRY) / 4);
    let at = 0;
    for (let image = 0; image < count; image++) {
      for (let row = 0; row < height; row += m) {
        for (let column = 0; column < width; column += m) {
          const rowHere = row % (tileRows * m);
          entries[at++] = (image % images) * input.stride + (rowHere * input.width + column) * 4;
          entries[at++] = image * output.stride + (row * output.width + column) * 4;
          entries[at++] = Math.min(m, height - row);
          entries[at++] = Math.min(m, width - column);
        }
      }
    }
    return entries;
  });
}

/** Rows and columns of input that the tiles of an output read. */
export function coveredInput(
  m: OutputTile,
  { height, width }: Pick<Images, 'height' | 'width'>,
): { height: number; width: number } {
  return { height: Math.ceil(height / m) * m + 2, width: Math.ceil(width / m) * m + 2 };
}
