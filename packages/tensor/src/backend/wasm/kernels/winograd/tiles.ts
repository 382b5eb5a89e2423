import { offsetTable } from '../../tables.ts';
import type { Images } from '../conv2d/pad.ts';
import type { OutputTile } from './transforms.ts';

/** Tiles are taken in panels of as many as the micro-kernel has columns. */
export const PANEL_TILES = 8;

/** Bytes of one entry: input offset, output offset, rows and columns inside the output. */
export const TILE_ENTRY = 16;
export const TILE_FIELDS = { input: 0, output: 4, rows: 8, columns: 12 } as const;

export interface TileGrid {
  readonly rows: number;
  readonly columns: number;
  /** Tiles of all images. */
  readonly count: number;
}

export function tileGrid(m: OutputTile, output: Images): TileGrid {
  const rows = Math.ceil(output.height / m);
  const columns = Math.ceil(output.width / m);
  return { rows, columns, count: output.count * rows * columns };
}

/** The tiles of all images, and empty ones (of no rows) up to a whole panel. */
export function tileTable(m: OutputTile, grid: TileGrid, input: Images, output: Images): number {
  const { width: inputWidth, stride: inputStride } = input;
  const { count, height, width, stride } = output;
  const key = [m, count, inputWidth, inputStride, height, width, stride].join(' ');
  return offsetTable(`tiles ${key}`, () => {
    const panels = Math.ceil(grid.count / PANEL_TILES);
    const entries = new Int32Array((panels * PANEL_TILES * TILE_ENTRY) / 4);
    let at = 0;
    for (let image = 0; image < count; image++) {
      for (let row = 0; row < height; row += m) {
        for (let column = 0; column < width; column += m) {
          entries[at++] = image * inputStride + (row * inputWidth + column) * 4;
          entries[at++] = image * stride + (row * width + column) * 4;
          entries[at++] = Math.min(m, height - row);
          entries[at++] = Math.min(m, width - column);
        }
      }
    }
    return entries;
  });
}
