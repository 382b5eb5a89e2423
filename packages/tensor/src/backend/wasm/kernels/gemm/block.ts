import { defineFunction } from '../../assembler/function.ts';
import { i32, loadF32 } from '../../assembler/scalars.ts';
import { callMicroKernel, ENDING, MODE } from '../../micro-kernel/micro-kernel.ts';
import { tileOf } from '../../micro-kernel/tile.ts';
import { endOf } from '../loops/part-range.ts';
import { copyRow } from '../loops/rows.ts';
import { areNeighbours, ENTRY_BYTES, loadOffset, loadRun } from './offset-table.ts';

/** About as many rows of packed A stay in the second-level cache while the panels of B pass by. */
const CACHED_ROWS = 128;

/** Where rows and columns of C lie. */
const BLOCK_OF_C = { address: 'address', rowStride: 'bytes', columnOffsets: 'address' } as const;

/**
 * Copies the part of a tile that is inside C, from C to the tile or back: one stretch of neighbouring
 * columns after the other.
 */
const copyTile = defineFunction(
  'copyTile',
  {
    tile: 'address',
    c: BLOCK_OF_C,
    rows: 'i32',
    columns: 'i32',
    toTile: 'flag',
  },
  (f, { tile, c, rows, columns, toTile }) => {
    const { columnOffsets } = c;
    const tileStride = tileOf(f.features).columns * 4;
    const length = f.i32();
    const row = f.i32();
    const inC = f.i32();
    const inTile = f.i32();
    f.while(columns.greaterThan(0), () => {
      // Columns that are not neighbours have runs of 1 or negative ones.
      length.set(loadRun(columnOffsets));
      length.set(length.max(1));
      length.set(length.min(columns));
      inC.set(c.address.plus(loadOffset(columnOffsets)));
      inTile.set(tile);
      row.set(rows);
      const forRows = (copy: () => void): void =>
        f.doWhile(() => {
          copy();
          inC.set(inC.plus(c.rowStride));
          inTile.set(inTile.plus(tileStride));
          row.set(row.minus(1));
        }, row);
      // Numbers that lie alone are stored here, as a call for each would take longer than the product.
      f.if(
        length.equals(1).and(toTile.isZero()),
        () => forRows(() => f.store(inC, loadF32(inTile))),
        () =>
          forRows(() =>
            f.if(
              toTile,
              () => f.call(copyRow, { target: inTile, source: inC, count: length }),
              () => f.call(copyRow, { target: inC, source: inTile, count: length }),
            ),
          ),
      );
      tile.set(tile.plus(length.times(4)));
      columnOffsets.set(columnOffsets.plus(length.times(ENTRY_BYTES)));
      columns.set(columns.minus(length));
    });
  },
);

/**
 * C = A · B for packed operands: `rows` × `k` in panels of as many rows as a tile has, `k` × `columns`
 * in panels of its columns. Column j of C lies at `columnOffsets[j]` from the row's start. Tiles that
 * reach over the last column of C, or whose columns are not neighbours, are computed in `tile` and
 * copied.
 */
export const multiplyBlock = defineFunction(
  'multiplyBlock',
  {
    a: 'address',
    b: 'address',
    k: 'i32',
    rows: 'i32',
    columns: 'i32',
    c: BLOCK_OF_C,
    ending: ENDING,
    tile: 'address',
  },
  (f, { a, b, k, rows, columns, c, ending, tile }) => {
    const { rowStride } = c;
    const { mode, bias } = ending;
    const shape = tileOf(f.features);
    const cachedRows = Math.floor(CACHED_ROWS / shape.rows) * shape.rows;
    const panelA = f.i32();
    const panelB = f.i32();
    const cOfColumns = f.i32();
    const offsets = f.i32();
    const isDirect = f.i32();
    const columnsLeft = f.i32();
    const rowsLeft = f.i32();
    const biasOfRows = f.i32();
    f.for(0, rows, cachedRows, (firstRow) => {
      const endRow = endOf(f, firstRow, cachedRows, rows);
      panelB.set(b);
      offsets.set(c.columnOffsets);
      columnsLeft.set(columns);
      f.while(columnsLeft.greaterThan(0), () => {
        isDirect.set(
          columnsLeft.atLeast(shape.columns).and(areNeighbours(loadRun(offsets), shape.columns)),
        );
        cOfColumns.set(c.address.plus(firstRow.times(rowStride)));
        panelA.set(a.plus(firstRow.times(k.times(4))));
        f.for(firstRow, endRow, shape.rows, (row) => {
          biasOfRows.set(bias.plus(row.times(4)));
          rowsLeft.set(endRow.minus(row));
          const operands = { a: panelA, b: panelB, k, ending: { mode, bias: biasOfRows } };
          f.if(
            isDirect,
            () =>
              callMicroKernel(f, rowsLeft, {
                ...operands,
                c: { address: cOfColumns.plus(loadOffset(offsets)), rowStride },
              }),
            () => {
              const copy = {
                tile,
                c: { address: cOfColumns, rowStride, columnOffsets: offsets },
                rows: rowsLeft.min(shape.rows),
                columns: columnsLeft.min(shape.columns),
              };
              f.if(mode.and(MODE.accumulate), () => f.call(copyTile, { ...copy, toTile: i32(1) }));
              callMicroKernel(f, rowsLeft, {
                ...operands,
                c: { address: tile, rowStride: i32(shape.columns * 4) },
              });
              f.call(copyTile, { ...copy, toTile: i32(0) });
            },
          );
          cOfColumns.set(cOfColumns.plus(rowStride.times(shape.rows)));
          panelA.set(panelA.plus(k.times(shape.rows * 4)));
        });
        panelB.set(panelB.plus(k.times(shape.columns * 4)));
        offsets.set(offsets.plus(shape.columns * ENTRY_BYTES));
        columnsLeft.set(columnsLeft.minus(shape.columns));
      });
    });
  },
);
