import { MODE } from '../../micro-kernel/micro-kernel.ts';
import { ALL_ROWS, TILE_BYTES } from '../../micro-kernel/tile.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { countFrom } from '../loops/part-range.ts';
import { multiplyBlock } from './block.ts';
import { BLOCK_K, type Operand } from './multiply.ts';
import { ENTRY_BYTES } from './offset-table.ts';
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
    a: 'i32',
    b: 'i32',
    c: 'i32',
    rows: 'i32',
    columns: 'i32',
    /** Products of one `outer`, and of all. */
    k: 'i32',
    totalK: 'i32',
    rowBlocks: 'i32',
    columnBlocks: 'i32',
    groups: 'i32',
    kOffsetsA: 'i32',
    rowOffsetsA: 'i32',
    kOffsetsB: 'i32',
    columnOffsetsB: 'i32',
    columnOffsetsC: 'i32',
    groupStrideA: 'i32',
    groupStrideB: 'i32',
    outerStrideA: 'i32',
    outerStrideB: 'i32',
  },
  (f, fields, { index, scratch }) => {
    const { rowBlocks, columnBlocks, groups } = fields;
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
        source: fields.a
          .plus(group.times(fields.groupStrideA))
          .plus(outer.times(fields.outerStrideA)),
        kOffsets: fields.kOffsetsA.plus(firstK.times(ENTRY_BYTES)),
        k: kHere,
        lineOffsets: fields.rowOffsetsA.plus(firstRow.times(ENTRY_BYTES)),
        lines: rows,
        packed: packedA,
      });
      f.call(packColumns.along, {
        source: fields.b
          .plus(group.times(fields.groupStrideB))
          .plus(outer.times(fields.outerStrideB)),
        kOffsets: fields.kOffsetsB.plus(firstK.times(ENTRY_BYTES)),
        k: kHere,
        lineOffsets: fields.columnOffsetsB.plus(firstColumn.times(ENTRY_BYTES)),
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
        c,
        rowStride,
        columnOffsets: fields.columnOffsetsC.plus(firstColumn.times(ENTRY_BYTES)),
        mode,
        bias: 0,
        tile: scratch,
      });
    });
  },
);

export interface LongProduct {
  readonly rows: number;
  readonly columns: number;
  /** Products for each step of `outer`; the last may have fewer. */
  readonly k: number;
  readonly totalK: number;
  readonly groups: number;
  readonly a: Omit<Operand, 'along'>;
  readonly b: Omit<Operand, 'along'>;
  /** [outer, group, row, column], dense. */
  readonly c: number;
  /** The table of 4 · column for every column. */
  readonly columnOffsets: number;
}

/** C[outer] = A · B summed over the k of that `outer`, for every group; strides are in bytes. */
export function accumulate(frame: Frame, product: LongProduct): void {
  const { rows, columns, k, totalK, groups, a, b } = product;
  const outers = Math.ceil(totalK / k);
  const rowBlocks = Math.ceil(rows / BLOCK_ROWS);
  const columnBlocks = Math.ceil(columns / BLOCK_COLUMNS);
  frame.run(accumulateTask, outers * groups * rowBlocks * columnBlocks, {
    a: a.address,
    b: b.address,
    c: product.c,
    rows,
    columns,
    k,
    totalK,
    rowBlocks,
    columnBlocks,
    groups,
    kOffsetsA: a.kOffsets,
    rowOffsetsA: a.lineOffsets,
    kOffsetsB: b.kOffsets,
    columnOffsetsB: b.lineOffsets,
    columnOffsetsC: product.columnOffsets,
    groupStrideA: a.groupStride,
    groupStrideB: b.groupStride,
    outerStrideA: a.outerStride,
    outerStrideB: b.outerStride,
  });
}
