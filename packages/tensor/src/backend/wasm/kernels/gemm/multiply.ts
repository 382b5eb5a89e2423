import type { NdArray } from '../../../../core/ndarray.ts';
import { ENDING, MODE } from '../../micro-kernel/micro-kernel.ts';
import { roundedUp, TILE_BYTES, tileOf } from '../../micro-kernel/tile.ts';
import { type Address, addressAfter } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask, type FieldValues } from '../../runtime/task.ts';
import { countFrom } from '../loops/part-range.ts';
import { multiplyBlock } from './block.ts';
import { ENTRY_BYTES } from './offset-table.ts';
import { DIRECTED_OPERAND, type DirectedOperand, matrixOf } from './operand.ts';
import { packColumns, packRows } from './pack.ts';

/** Products summed in registers before C is written: panels of A and B stay in the first cache. */
export const BLOCK_K = 256;
/** Columns of C that one part computes. */
const BLOCK_COLUMNS = 256;

/** Packs all of A, so that threads share it: for each block of k, panels of a tile's rows. */
const packTask = defineTask(
  'packOperand',
  {
    source: DIRECTED_OPERAND,
    packed: { address: 'address', groupStride: 'bytes' },
    k: 'i32',
    lines: 'i32',
    /** Of k. */
    blocks: 'i32',
  },
  (f, { source, packed, k, lines, blocks }, { index }) => {
    const paddedLines = f.i32(roundedUp(lines, tileOf(f.features).rows));
    const batch = f.i32(index.dividedBy(blocks));
    const firstK = f.i32(index.modulo(blocks).times(BLOCK_K));
    const values = {
      source: source.address.plus(batch.times(source.groupStride)),
      kOffsets: source.kOffsets.plus(firstK.times(ENTRY_BYTES)),
      k: f.i32(k.minus(firstK).min(BLOCK_K)),
      lineOffsets: source.lineOffsets,
      lines,
      packed: packed.address
        .plus(batch.times(packed.groupStride))
        .plus(firstK.times(paddedLines).times(4)),
    };
    f.if(
      source.along,
      () => f.call(packRows.along, values),
      () => f.call(packRows.across, values),
    );
  },
);

/** Where C lies, for each group and each `outer`. */
const TARGET = {
  address: 'address',
  rowStride: 'bytes',
  columnOffsets: 'address',
  groupStride: 'bytes',
  outerStride: 'bytes',
} as const;

/**
 * Blocks of columns of many products. Part `((outer · groups) + group) · blocks + block`; A (packed)
 * depends on the group and perhaps on `outer`, B and C on both.
 */
const multiplyTask = defineTask(
  'multiply',
  {
    /** Packed. */
    a: { address: 'address', groupStride: 'bytes', outerStride: 'bytes' },
    b: DIRECTED_OPERAND,
    c: TARGET,
    ending: ENDING,
    rows: 'i32',
    k: 'i32',
    /** Columns of one `outer` (the last may have fewer), and of all. */
    columns: 'i32',
    totalColumns: 'i32',
    blockColumns: 'i32',
    blocks: 'i32',
    groups: 'i32',
  },
  (f, fields, { index, scratch }) => {
    const { b, c, k, rows, blocks, groups } = fields;
    const { mode, bias } = fields.ending;
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
    const a = f.i32(matrixOf(fields.a, group, outer));
    const tile = scratch;
    const packed = f.i32(scratch.plus(TILE_BYTES));
    const paddedRows = f.i32(roundedUp(rows, tileOf(f.features).rows));
    f.if(columns.greaterThan(0), () =>
      f.for(0, k, BLOCK_K, (firstK) => {
        const kHere = countFrom(f, firstK, BLOCK_K, k);
        const pack = {
          source: matrixOf(b, group, outer),
          kOffsets: b.kOffsets.plus(firstK.times(ENTRY_BYTES)),
          k: kHere,
          lineOffsets: b.lineOffsets.plus(firstColumn.times(ENTRY_BYTES)),
          lines: columns,
          packed,
        };
        f.if(
          b.along,
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
          c: {
            address: matrixOf(c, group, outer),
            rowStride: c.rowStride,
            columnOffsets: c.columnOffsets.plus(firstColumn.times(ENTRY_BYTES)),
          },
          ending: { mode: modeHere, bias: bias.plus(group.times(rows).times(4)) },
          tile,
        });
      }),
    );
  },
);

export interface Product
  extends Pick<
    FieldValues<typeof multiplyTask.fields>,
    'b' | 'c' | 'ending' | 'rows' | 'k' | 'columns' | 'totalColumns' | 'groups'
  > {
  readonly a: DirectedOperand;
  /** Whose elements A is, and a name for the order in which they are read: so it is packed once. */
  readonly keepA?: { readonly array: NdArray; readonly name: string };
}

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

/** C = A · B (and what `ending` says) for every group and outer. */
export function multiply(frame: Frame, product: Product): void {
  const { columns, totalColumns, groups } = product;
  const outers = Math.ceil(totalColumns / columns);
  const tile = tileOf(frame.features);
  // A single small image is cut finer, so that there is work for all threads.
  const wholeParts = outers * groups;
  const share = roundUp(Math.ceil(columns / Math.ceil(16 / wholeParts)), tile.columns);
  const blockColumns = Math.min(BLOCK_COLUMNS, Math.max(share, 3 * tile.columns));
  const blocks = Math.ceil(columns / blockColumns);
  const a = packedA(frame, product, outers);
  frame.run(multiplyTask, wholeParts * blocks, { ...product, a, blockColumns, blocks });
}

/** A packed for the product: once for all `outer` where it is the same for all. */
function packedA(frame: Frame, { a, keepA, rows, k, groups }: Product, outers: number) {
  const tile = tileOf(frame.features);
  const groupStride = roundUp(rows, tile.rows) * k * 4;
  const outersOfA = a.outerStride === 0 ? 1 : outers;
  const blocks = Math.ceil(k / BLOCK_K);
  const pack = (packed: Address): void => {
    for (let outer = 0; outer < outersOfA; outer++) {
      const address = addressAfter(packed, outer * groups * groupStride);
      frame.run(packTask, groups * blocks, {
        source: { ...a, address: addressAfter(a.address, outer * a.outerStride) },
        packed: { address, groupStride },
        k,
        lines: rows,
        blocks,
      });
    }
  };
  const bytes = outersOfA * groups * groupStride;
  const outerStride = outersOfA === 1 ? 0 : groups * groupStride;
  if (keepA !== undefined) {
    const name = `packed ${tile.rows} ${keepA.name}`;
    return { address: frame.derived(keepA.array, name, bytes, pack), groupStride, outerStride };
  }
  const address = frame.temporary(bytes);
  pack(address);
  return { address, groupStride, outerStride };
}
