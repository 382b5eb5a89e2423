import { defineFunction } from '../../assembler/function.ts';
import { i32, loadF32 } from '../../assembler/scalars.ts';
import { MODE, microKernel, TILE_COLUMNS, TILE_ROWS } from './micro-kernel.ts';
import { areNeighbours, ENTRY_BYTES, loadOffset, loadRun } from './offset-table.ts';

/** Rows of packed A that stay in the second-level cache while the panels of B pass by. */
const CACHED_ROWS = 128;
/** Bytes of a tile; see `multiplyBlock`. */
export const TILE_BYTES = TILE_ROWS * TILE_COLUMNS * 4;

/** Copies the part of a tile that is inside C, from C to the tile or back. */
const copyTile = defineFunction(
  'copyTile',
  {
    tile: 'i32',
    c: 'i32',
    rowStride: 'i32',
    columnOffsets: 'i32',
    rows: 'i32',
    columns: 'i32',
    toTile: 'i32',
  },
  (f, { tile, c, rowStride, columnOffsets, rows, columns, toTile }) => {
    f.doWhile(() => {
      f.for(0, columns, 1, (j) => {
        const inC = c.plus(loadOffset(columnOffsets.plus(j.times(ENTRY_BYTES))));
        const inTile = tile.plus(j.times(4));
        f.if(
          toTile,
          () => f.store(inTile, loadF32(inC)),
          () => f.store(inC, loadF32(inTile)),
        );
      });
      tile.set(tile.plus(TILE_COLUMNS * 4));
      c.set(c.plus(rowStride));
      rows.set(rows.minus(1));
    }, rows);
  },
);

/**
 * C = A · B for packed operands: `rows` × `k` in panels of 4 rows, `k` × `columns` in panels of 8
 * columns. Column j of C lies at `columnOffsets[j]` from the row's start. Tiles that reach over an
 * edge of C, or whose columns are not neighbours, are computed in `tile` and copied.
 */
export const multiplyBlock = defineFunction(
  'multiplyBlock',
  {
    a: 'i32',
    b: 'i32',
    k: 'i32',
    rows: 'i32',
    columns: 'i32',
    c: 'i32',
    rowStride: 'i32',
    columnOffsets: 'i32',
    mode: 'i32',
    bias: 'i32',
    tile: 'i32',
  },
  (f, p) => {
    const { a, b, k, rows, columns, c, rowStride, columnOffsets, mode, bias, tile } = p;
    const panelA = f.i32();
    const panelB = f.i32();
    const cOfColumns = f.i32();
    const offsets = f.i32();
    const isDirect = f.i32();
    const columnsLeft = f.i32();
    const rowsLeft = f.i32();
    f.for(0, rows, CACHED_ROWS, (firstRow) => {
      const endRow = f.i32(firstRow.plus(CACHED_ROWS));
      endRow.set(endRow.min(rows));
      panelB.set(b);
      offsets.set(columnOffsets);
      columnsLeft.set(columns);
      f.while(columnsLeft.greaterThan(0), () => {
        isDirect.set(
          columnsLeft.atLeast(TILE_COLUMNS).and(areNeighbours(loadRun(offsets), TILE_COLUMNS)),
        );
        cOfColumns.set(c.plus(firstRow.times(rowStride)));
        panelA.set(a.plus(firstRow.times(k.times(4))));
        f.for(firstRow, endRow, TILE_ROWS, (row) => {
          const biasOfRows = bias.plus(row.times(4));
          rowsLeft.set(endRow.minus(row));
          const operands = { a: panelA, b: panelB, k, mode, bias: biasOfRows };
          f.if(
            isDirect.and(rowsLeft.atLeast(TILE_ROWS)),
            () =>
              f.call(microKernel, {
                ...operands,
                c: cOfColumns.plus(loadOffset(offsets)),
                rowStride,
              }),
            () => {
              const copy = {
                tile,
                c: cOfColumns,
                rowStride,
                columnOffsets: offsets,
                rows: rowsLeft.min(TILE_ROWS),
                columns: columnsLeft.min(TILE_COLUMNS),
              };
              f.if(mode.and(MODE.accumulate), () => f.call(copyTile, { ...copy, toTile: i32(1) }));
              f.call(microKernel, { ...operands, c: tile, rowStride: i32(TILE_COLUMNS * 4) });
              f.call(copyTile, { ...copy, toTile: i32(0) });
            },
          );
          cOfColumns.set(cOfColumns.plus(rowStride.times(TILE_ROWS)));
          panelA.set(panelA.plus(k.times(TILE_ROWS * 4)));
        });
        panelB.set(panelB.plus(k.times(TILE_COLUMNS * 4)));
        offsets.set(offsets.plus(TILE_COLUMNS * ENTRY_BYTES));
        columnsLeft.set(columnsLeft.minus(TILE_COLUMNS));
      });
    });
  },
);
