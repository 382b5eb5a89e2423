import type { Features } from '../../assembler/features.ts';
import type { I32 } from '../../assembler/scalars.ts';

/** The piece of a product that is held in registers while k runs. */
export interface Tile {
  readonly rows: number;
  /** Two vectors of as many float32 as are computed at once. */
  readonly columns: number;
}

/**
 * The shapes that measure best: with 16 registers of four lanes 8 accumulators, of eight lanes 12,
 * which leaves room for two vectors of B and one factor of A. Sums over k are the same in both.
 */
const TILES = { 4: { rows: 4, columns: 8 }, 8: { rows: 6, columns: 16 } } as const;

export function tileOf({ lanes }: Pick<Features, 'lanes'>): Tile {
  return TILES[lanes];
}

/** Rows and columns that a whole number of tiles of either shape has. */
export const ALL_ROWS = 12;
export const ALL_COLUMNS = 16;

/** Bytes of the largest tile. */
export const TILE_BYTES = TILES[8].rows * TILES[8].columns * 4;

/** The least multiple of `unit` that is not below `value`. */
export function roundedUp(value: I32, unit: number): I32 {
  return value
    .plus(unit - 1)
    .dividedBy(unit)
    .times(unit);
}
