import { i32 } from '../../assembler/scalars.ts';
import { MODE } from '../../micro-kernel/micro-kernel.ts';
import { ALL_ROWS, TILE_BYTES } from '../../micro-kernel/tile.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask, type FieldValues } from '../../runtime/task.ts';
import { countFrom } from '../loops/part-range.ts';
import { multiplyBlock } from './block.ts';
import { BLOCK_K } from './multiply.ts';
import { ENTRY_BYTES } from './offset-table.ts';
import { matrixOf, OPERAND } from './operand.ts';
import { packColumns, packRows } from './pack.ts';

/** Rows and columns of C that one part computes. */
const BLOCK_ROWS = 42 * ALL_ROWS;
const BLOCK_COLUMNS = 512;
const PACKED_A_BYTES = BLOCK_ROWS * BLOCK_K * 4;

/**
 * Products whose sum over k is very long and whose C is small: gradients of weights, where k runs
 * over all pixels of all images. Each `outer` (some of the images) has a C of its own; they are
 * added afterwards in a fixed order. Both operands are packed by the part that needs them.
 */
const accumulateTask = defineTask(
  'accumulate',
  {
    a: OPERAND,
    b: OPERAND,
    /** [outer, group, row, column], dense. */
    c: 'address',
    /** The table of 4 · column for every column. */
    columnOffsets: 'address',
    rows: 'i32',
    columns: 'i32',
    /** Products of one `outer` (the last may have fewer), and of all. */
    k: 'i32',
    totalK: 'i32',
    groups: 'i32',
    rowBlocks: 'i32',
    columnBlocks: 'i32',
  },
  (f, fields, { index, scratch }) => {
    const { a, b, rowBlocks, columnBlocks, groups } = fields;
    const blocks = f.i32(rowBlocks.times(columnBlocks));
    const block = f.i32(index.modulo(blocks));
    const firstRow = f.i32(block.dividedBy(columnBlocks).times(BLOCK_ROWS));
    const firstColumn = f.i32(block.modulo(columnBlocks).times(BLOCK_COLUMNS));
    const rows = countFrom(f, firstRow, BLOCK_ROWS, fields.rows);
    const columns = countFrom(f, firstColumn, BLOCK_COLUMNS, fields.columns);
    const group = f.i32(index.dividedBy(blocks).modulo(groups));
    const outer = f.i32(index.dividedBy(blocks).dividedBy(groups));
    const k = countFrom(f, outer.times(fields.k), fields.k, fields.totalK);
    const rowStride = f.i32(fields.columns.times(4));
    const c = f.i32(
      fields.c.plus(
        outer.times(groups).plus(group).times(fields.rows).plus(firstRow).times(rowStride),
      ),
    );
    const packedA = f.i32(scratch.plus(TILE_BYTES));
    const packedB = f.i32(packedA.plus(PACKED_A_BYTES));
    f.for(0, k, BLOCK_K, (firstK) => {
      const kHere = countFrom(f, firstK, BLOCK_K, k);
      f.call(packRows.along, {
        source: matrixOf(a, group, outer),
        kOffsets: a.kOffsets.plus(firstK.times(ENTRY_BYTES)),
        k: kHere,
        lineOffsets: a.lineOffsets.plus(firstRow.times(ENTRY_BYTES)),
        lines: rows,
        packed: packedA,
      });
      f.call(packColumns.along, {
        source: matrixOf(b, group, outer),
        kOffsets: b.kOffsets.plus(firstK.times(ENTRY_BYTES)),
        k: kHere,
        lineOffsets: b.lineOffsets.plus(firstColumn.times(ENTRY_BYTES)),
        lines: columns,
        packed: packedB,
      });
      const mode = f.i32(0);
      f.if(firstK, () => mode.set(MODE.accumulate));
      f.call(multiplyBlock, {
        a: packedA,
        b: packedB,
        k: kHere,
        rows,
        columns,
        c: {
          address: c,
          rowStride,
          columnOffsets: fields.columnOffsets.plus(firstColumn.times(ENTRY_BYTES)),
        },
        ending: { mode, bias: i32(0) },
        tile: scratch,
      });
    });
  },
);

export type LongProduct = Omit<
  FieldValues<typeof accumulateTask.fields>,
  'rowBlocks' | 'columnBlocks'
>;

/** C[outer] = A · B summed over the k of that `outer`, for every group. */
export function accumulate(frame: Frame, product: LongProduct): void {
  const { rows, columns, k, totalK, groups } = product;
  const outers = Math.ceil(totalK / k);
  const rowBlocks = Math.ceil(rows / BLOCK_ROWS);
  const columnBlocks = Math.ceil(columns / BLOCK_COLUMNS);
  const parts = outers * groups * rowBlocks * columnBlocks;
  frame.run(accumulateTask, parts, { ...product, rowBlocks, columnBlocks });
}
