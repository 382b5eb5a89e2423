import type { Features } from '../assembler/features.ts';
import type { I32 } from '../assembler/scalars.ts';

/** The piece of a product that is held in registers while k runs. */
export interface Tile {
  readonly rows: number;
  /** Two vectors of as many float32 as are computed at once. */
  readonly columns: number;
}

/** Eight accumulators of four lanes: with 16 registers, more would be spilled. */
const NARROW: Tile = { rows: 4, columns: 8 };
/** Twelve of eight lanes, which leaves room for two vectors of B and one factor of A. */
const WIDE: Tile = { rows: 6, columns: 16 };
/** Products that are not added in the same instruction need registers of their own. */
const WIDE_WITHOUT_FMA: Tile = { rows: 4, columns: 16 };

/** The shape that measures best. Sums over k are the same in all. */
export function tileOf({ lanes, fma }: Features): Tile {
  if (lanes === 4) return NARROW;
  return fma ? WIDE : WIDE_WITHOUT_FMA;
}

/** Rows and columns that a whole number of tiles of every shape has. */
export const ALL_ROWS = 12;
export const ALL_COLUMNS = 16;

/** Bytes of the largest tile. */
export const TILE_BYTES = WIDE.rows * WIDE.columns * 4;

/** The least multiple of `unit` that is not below `value`. */
export function roundedUp(value: I32, unit: number): I32 {
  return value
    .plus(unit - 1)
    .dividedBy(unit)
    .times(unit);
}
