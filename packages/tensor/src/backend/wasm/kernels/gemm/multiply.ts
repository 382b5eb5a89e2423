import type { NdArray } from '../../../../core/ndarray.ts';
import { MODE } from '../../micro-kernel/micro-kernel.ts';
import { roundedUp, TILE_BYTES, tileOf } from '../../micro-kernel/tile.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { countFrom } from '../loops/part-range.ts';
import { multiplyBlock } from './block.ts';
import { ENTRY_BYTES } from './offset-table.ts';
import { packColumns, packRows } from './pack.ts';

/** Products summed in registers before C is written: panels of A and B stay in the first cache. */
export const BLOCK_K = 256;
/** Columns of C that one part computes. */
const BLOCK_COLUMNS = 256;

/** Packs all of A, so that threads share it: for each block of k, panels of a tile's rows. */
const packTask = defineTask(
  'packOperand',
  {
    source: 'i32',
    kOffsets: 'i32',
    k: 'i32',
    lineOffsets: 'i32',
    lines: 'i32',
    packed: 'i32',
    along: 'i32',
    blocks: 'i32',
    sourceStride: 'i32',
    packedStride: 'i32',
  },
  (f, fields, { index }) => {
    const { source, kOffsets, k, lineOffsets, lines, packed, along, blocks } = fields;
    const paddedLines = f.i32(roundedUp(lines, tileOf(f.features).rows));
    const batch = f.i32(index.dividedBy(blocks));
    const firstK = f.i32(index.modulo(blocks).times(BLOCK_K));
    const values = {
      source: source.plus(batch.times(fields.sourceStride)),
      kOffsets: kOffsets.plus(firstK.times(ENTRY_BYTES)),
      k: f.i32(k.minus(firstK).min(BLOCK_K)),
      lineOffsets,
      lines,
      packed: packed
        .plus(batch.times(fields.packedStride))
        .plus(firstK.times(paddedLines).times(4)),
    };
    f.if(
      along,
      () => f.call(packRows.along, values),
      () => f.call(packRows.across, values),
    );
  },
);

/**
 * Blocks of columns of many products. Part `((outer · groups) + group) · blocks + block`; A (packed)
 * depends on the group and perhaps on `outer`, B and C on both.
 */
const multiplyTask = defineTask(
  'multiply',
  {
    a: 'i32',
    b: 'i32',
    c: 'i32',
    bias: 'i32',
    mode: 'i32',
    rows: 'i32',
    k: 'i32',
    /** Columns of one `outer`, and of all. */
    columns: 'i32',
    totalColumns: 'i32',
    blockColumns: 'i32',
    blocks: 'i32',
    groups: 'i32',
    kOffsetsB: 'i32',
    columnOffsetsB: 'i32',
    columnOffsetsC: 'i32',
    along: 'i32',
    rowStrideC: 'i32',
    groupStrideA: 'i32',
    groupStrideB: 'i32',
    groupStrideC: 'i32',
    outerStrideA: 'i32',
    outerStrideB: 'i32',
    outerStrideC: 'i32',
  },
  (f, fields, { index, scratch }) => {
    const { k, rows, blocks, groups, mode } = fields;
    const group = f.i32(index.dividedBy(blocks).modulo(groups));
    const outer = f.i32(index.dividedBy(blocks).dividedBy(groups));
    const firstColumn = f.i32(index.modulo(blocks).times(fields.blockColumns));
    const columnsOfOuter = countFrom(
      f,
      outer.times(fields.columns),
      fields.columns,
      fields.totalColumns,
    );
    const columns = countFrom(f, firstColumn, fields.blockColumns, columnsOfOuter);
    const a = f.i32(
      fields.a.plus(group.times(fields.groupStrideA)).plus(outer.times(fields.outerStrideA)),
    );
    const tile = scratch;
    const packed = f.i32(scratch.plus(TILE_BYTES));
    const paddedRows = f.i32(roundedUp(rows, tileOf(f.features).rows));
    f.if(columns.greaterThan(0), () =>
      f.for(0, k, BLOCK_K, (firstK) => {
        const kHere = countFrom(f, firstK, BLOCK_K, k);
        const pack = {
          source: fields.b
            .plus(group.times(fields.groupStrideB))
            .plus(outer.times(fields.outerStrideB)),
          kOffsets: fields.kOffsetsB.plus(firstK.times(ENTRY_BYTES)),
          k: kHere,
          lineOffsets: fields.columnOffsetsB.plus(firstColumn.times(ENTRY_BYTES)),
          lines: columns,
          packed,
        };
        f.if(
          fields.along,
          () => f.call(packColumns.along, pack),
          () => f.call(packColumns.across, pack),
        );
        // Bias comes with the first block of k, the other blocks add to it, ReLU with the last.
        const modeHere = f.i32(mode.and(MODE.accumulate | MODE.bias));
        f.if(firstK, () => modeHere.set(MODE.accumulate));
        f.if(firstK.plus(BLOCK_K).atLeast(k), () =>
          modeHere.set(modeHere.plus(mode.and(MODE.relu))),
        );
        f.call(multiplyBlock, {
          a: a.plus(firstK.times(paddedRows).times(4)),
          b: packed,
          k: kHere,
          rows,
          columns,
          c: fields.c.plus(group.times(fields.groupStrideC)).plus(outer.times(fields.outerStrideC)),
          rowStride: fields.rowStrideC,
          columnOffsets: fields.columnOffsetsC.plus(firstColumn.times(ENTRY_BYTES)),
          mode: modeHere,
          bias: fields.bias.plus(group.times(rows).times(4)),
          tile,
        });
      }),
    );
  },
);

/** A matrix in memory by tables of offsets; see `offset-table.ts` and `pack.ts`. */
export interface Operand {
  readonly address: number;
  readonly kOffsets: number;
  /** One for each row of A or column of B. */
  readonly lineOffsets: number;
  /** Whether neighbours along k are neighbours in memory, else those of different lines. */
  readonly along: boolean;
  readonly groupStride: number;
  readonly outerStride: number;
}

export interface Product {
  readonly rows: number;
  readonly k: number;
  /** Columns for each step of `outer`; the last may have fewer. */
  readonly columns: number;
  readonly totalColumns: number;
  readonly groups: number;
  readonly a: Operand;
  /** Whose elements A is, and a name for the order in which they are read: so it is packed once. */
  readonly keepA?: { readonly array: NdArray; readonly name: string };
  readonly b: Operand;
  readonly c: {
    readonly address: number;
    readonly rowStride: number;
    readonly columnOffsets: number;
    readonly groupStride: number;
    readonly outerStride: number;
  };
  /** Bits of MODE. */
  readonly mode: number;
  readonly bias: number;
}

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

/** C = A · B (and what `mode` says) for every group and outer; strides are in bytes. */
export function multiply(frame: Frame, product: Product): void {
  const { rows, k, columns, totalColumns, groups, a, b, c } = product;
  const outers = Math.ceil(totalColumns / columns);
  const tile = tileOf(frame.features);
  const paddedRows = roundUp(rows, tile.rows);
  const packedStride = paddedRows * k * 4;
  const outersOfA = a.outerStride === 0 ? 1 : outers;
  const kBlocks = Math.ceil(k / BLOCK_K);
  const packAll = (packed: number): void => {
    for (let outer = 0; outer < outersOfA; outer++) {
      frame.run(packTask, groups * kBlocks, {
        source: a.address + outer * a.outerStride,
        kOffsets: a.kOffsets,
        k,
        lineOffsets: a.lineOffsets,
        lines: rows,
        packed: packed + outer * groups * packedStride,
        along: Number(a.along),
        blocks: kBlocks,
        sourceStride: a.groupStride,
        packedStride,
      });
    }
  };
  const bytes = outersOfA * groups * packedStride;
  const { keepA } = product;
  const packed =
    keepA === undefined
      ? frame.temporary(bytes)
      : frame.derived(keepA.array, `packed ${tile.rows} ${keepA.name}`, bytes, packAll);
  if (keepA === undefined) packAll(packed);
  // A single small image is cut finer, so that there is work for all threads.
  const wholeParts = outers * groups;
  const share = roundUp(Math.ceil(columns / Math.ceil(16 / wholeParts)), tile.columns);
  const blockColumns = Math.min(BLOCK_COLUMNS, Math.max(share, 3 * tile.columns));
  const blocks = Math.ceil(columns / blockColumns);
  frame.run(multiplyTask, wholeParts * blocks, {
    a: packed,
    b: b.address,
    c: c.address,
    bias: product.bias,
    mode: product.mode,
    rows,
    k,
    columns,
    totalColumns,
    blockColumns,
    blocks,
    groups,
    kOffsetsB: b.kOffsets,
    columnOffsetsB: b.lineOffsets,
    columnOffsetsC: c.columnOffsets,
    along: Number(b.along),
    rowStrideC: c.rowStride,
    groupStrideA: packedStride,
    groupStrideB: b.groupStride,
    groupStrideC: c.groupStride,
    outerStrideA: outersOfA === 1 ? 0 : groups * packedStride,
    outerStrideB: b.outerStride,
    outerStrideC: c.outerStride,
  });
}
