import type { Conv2dWindow } from '../../../../core/window.ts';
import { ENDING } from '../../micro-kernel/micro-kernel.ts';
import { ALL_COLUMNS, ALL_ROWS, tileOf } from '../../micro-kernel/tile.ts';
import type { Frame } from '../../runtime/frame.ts';
import { SCRATCH_BYTES } from '../../runtime/runtime.ts';
import { defineTask, type TaskDefinition } from '../../runtime/task.ts';
import type { Ending } from '../gemm/operand.ts';
import type { Images } from '../images/images.ts';
import { countFrom, endOf } from '../loops/part-range.ts';
import {
  BlockCopier,
  type Blocks,
  COPY,
  type Cut,
  copyBytes,
  cutIntoBlocks,
  tilesOfInput,
} from './blocks.ts';
import { defineInputTransform } from './input-transform.ts';
import { defineOutputTransform } from './output-transform.ts';
import { COMPONENTS, multiplyComponents } from './products.ts';
import { PLANES_IN_MEMORY, planesOf, TILE_ENTRY, TILES, tilesOf, tileTable } from './tiles.ts';
import { inputTile, type OutputTile } from './transforms.ts';
import { transformedWeights, type WeightLayout } from './weights.ts';

/** Rows (output channels) whose products are held at a time. */
const BLOCK_ROWS = 5 * ALL_ROWS;
/** Most tiles of a part: enough to use each weight often, few enough for the second-level cache. */
const MOST_TILES = 64;
const INPUT_BYTES = 1.5 * 2 ** 20;
/** Room for the transform of one group of tiles. */
const TEMPORARY_BYTES = 2048;
/** Multiplications that take the time of one element of a transform (measured). */
const TRANSFORM_COST = 10;
/** Bytes between components, so that they do not fall on the same places of the cache. */
const SKEW = 64;

const FIELDS = {
  /** Where the tiles of a channel are read, in memory or in the copy of their block. */
  input: PLANES_IN_MEMORY,
  copy: COPY,
  output: PLANES_IN_MEMORY,
  ending: ENDING,
  tiles: TILES,
  blockTiles: 'i32',
  /** Parts that share the tiles of a block, and rows of each. */
  rowParts: 'i32',
  rowsOfPart: 'i32',
  weights: COMPONENTS,
  k: 'i32',
  rows: 'i32',
} as const;

/** A block of tiles through all three steps; nothing but the output leaves the scratch memory. */
function defineConvolution(m: OutputTile): TaskDefinition<typeof FIELDS> {
  const components = inputTile(m) ** 2;
  const transformInput = defineInputTransform(m);
  const transformOutput = defineOutputTransform(m);
  return defineTask(`winograd${m}`, FIELDS, (f, fields, { index, scratch }) => {
    const { input, copy, output, ending, weights, k, rows, blockTiles } = fields;
    const block = f.i32(index.dividedBy(fields.rowParts));
    const firstTile = f.i32(block.times(blockTiles));
    const firstRowOfPart = f.i32(index.modulo(fields.rowParts).times(fields.rowsOfPart));
    const endRow = endOf(f, firstRowOfPart, fields.rowsOfPart, rows);
    const count = countFrom(f, firstTile, blockTiles, fields.tiles.count);
    const tiles = f.i32(fields.tiles.address.plus(firstTile.times(TILE_ENTRY)));
    const temporary = scratch;
    const copied = f.i32(scratch.plus(TEMPORARY_BYTES));
    const inputs = f.i32(copied.plus(copyBytes(m, MOST_TILES)));
    const inputBytes = f.i32(count.times(k).times(4).plus(SKEW));
    const products = f.i32(inputs.plus(inputBytes.times(components)));
    const productBytes = f.i32(count.times(BLOCK_ROWS * 4).plus(SKEW));
    const panelBytes = tileOf(f.features).columns * 4;
    const copier = new BlockCopier(f, copy, { block, target: copied, channels: 1 });
    const source = f.i32();
    // Channels are the outer loop, so that memory is read in long stretches.
    f.for(0, k, 1, (channel) => {
      f.if(
        copy.together,
        () => {
          copier.copy(channel, copied);
          source.set(copied);
        },
        () => source.set(input.address.plus(channel.times(input.planeBytes))),
      );
      f.call(transformInput, {
        source,
        rowBytes: input.rowBytes,
        tiles: { address: tiles, count },
        target: { address: inputs.plus(channel.times(panelBytes)), componentBytes: inputBytes },
        panelBytes: k.times(panelBytes),
        temporary,
      });
    });
    f.for(firstRowOfPart, endRow, BLOCK_ROWS, (firstRow) => {
      const rowsHere = countFrom(f, firstRow, BLOCK_ROWS, endRow);
      f.call(multiplyComponents, {
        count: components,
        a: {
          address: weights.address.plus(firstRow.times(k).times(4)),
          componentBytes: weights.componentBytes,
        },
        b: { address: inputs, componentBytes: inputBytes },
        k,
        rows: rowsHere,
        columns: count,
        c: { address: products, componentBytes: productBytes },
        mode: 0,
      });
      f.for(0, rowsHere, 1, (row) => {
        const channel = firstRow.plus(row);
        f.call(transformOutput, {
          products: {
            address: products.plus(row.times(count).times(4)),
            componentBytes: productBytes,
          },
          tileCount: count,
          tiles,
          target: output.address.plus(channel.times(output.planeBytes)),
          rowBytes: output.rowBytes,
          ending: { mode: ending.mode, bias: ending.bias.plus(channel.times(4)) },
          temporary,
        });
      });
    });
  });
}

const TASKS = { 2: defineConvolution(2), 4: defineConvolution(4) } as const;

/** Tiles of a part: a multiple of whole panels, so that there are parts for many threads. */
function tilesOfPart(m: OutputTile, k: number, tiles: number): number {
  const fitting = INPUT_BYTES / (inputTile(m) ** 2 * k * 4);
  const share = tiles / 16;
  const panels = Math.min(MOST_TILES, fitting, share) / ALL_COLUMNS;
  return Math.max(1, Math.floor(panels)) * ALL_COLUMNS;
}

/** Scratch memory of a part with `count` tiles. */
function scratchBytes(m: OutputTile, k: number, count: number): number {
  const perComponent = count * (k + BLOCK_ROWS) * 4 + 2 * SKEW;
  return TEMPORARY_BYTES + copyBytes(m, MOST_TILES) + inputTile(m) ** 2 * perComponent;
}

/**
 * Which F(m, 3) takes the least work for a convolution of `k` by `rows` channels, or null if that is
 * the plain sum (or Winograd does not apply: kernel 3×3, stride, dilation and groups 1).
 *
 * Work is counted in multiplications: 9 a pixel for the sum, n² a tile for F(m), where tiles may
 * reach over the border, and for each tile and channel the transforms, which cost about as much as
 * `TRANSFORM_COST` multiplications.
 */
export function chooseTile(
  window: Conv2dWindow,
  { k, rows, output }: { k: number; rows: number; output: Images },
): OutputTile | null {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth } = window;
  const isThree = kernelHeight === 3 && kernelWidth === 3;
  const isDense = strideHeight * strideWidth * window.dilationHeight * window.dilationWidth === 1;
  if (!isThree || !isDense || window.groups !== 1) return null;
  let best: OutputTile | null = null;
  let leastWork = 9 * output.count * output.height * output.width * k * rows;
  for (const m of [2, 4] as const) {
    const count = tilesOf(m, output);
    const work = count * inputTile(m) ** 2 * (k * rows + TRANSFORM_COST * (k + rows));
    const fits = scratchBytes(m, k, tilesOfPart(m, k, count)) <= SCRATCH_BYTES;
    if (work < leastWork && fits) {
      best = m;
      leastWork = work;
    }
  }
  return best;
}

/** The blocks in which images are copied with their zeros; null where they need them in memory. */
export function cutForWinograd(m: OutputTile, k: number, output: Images): Cut | null {
  return cutIntoBlocks(m, output, tilesOfPart(m, k, tilesOf(m, output)), ALL_COLUMNS);
}

/**
 * output ← (or +=, …, as `ending` says) input ∗ weights.
 *
 * @param input with the zeros around it that the windows need, and `coveredInput` in size; or without
 *   them, if it is `copied` in blocks, of a cut by `cutForWinograd`
 */
export function winograd(
  frame: Frame,
  m: OutputTile,
  input: Images,
  weights: WeightLayout,
  output: Images,
  ending: Ending,
  copied: Blocks | null,
): void {
  const { rows, k } = weights;
  const { planes, layout, copy } = tilesOfInput(m, input, output, copied);
  const tiles = tilesOf(m, output);
  const blockTiles = copied?.cut.tiles ?? tilesOfPart(m, k, tiles);
  const tileCount = Math.ceil(tiles / ALL_COLUMNS) * ALL_COLUMNS;
  const blocks = Math.ceil(tileCount / blockTiles);
  // Where there are fewer blocks than threads, several threads transform the same tiles.
  const rowBlocks = Math.ceil(rows / BLOCK_ROWS);
  const rowsOfPart = Math.ceil(rowBlocks / Math.ceil(frame.threads / blocks)) * BLOCK_ROWS;
  const rowParts = Math.ceil(rows / rowsOfPart);
  frame.run(TASKS[m], blocks * rowParts, {
    input: planes,
    copy,
    output: planesOf(output),
    ending,
    tiles: { address: tileTable(m, output, layout, output), count: tileCount },
    blockTiles,
    rowParts,
    rowsOfPart,
    weights: transformedWeights(frame, m, weights),
    k,
    rows,
  });
}
