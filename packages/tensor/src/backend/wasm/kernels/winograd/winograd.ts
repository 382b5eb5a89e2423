import type { Conv2dWindow } from '../../../../core/window.ts';
import { ALL_COLUMNS, ALL_ROWS } from '../../micro-kernel/tile.ts';
import type { Frame } from '../../runtime/frame.ts';
import { SCRATCH_BYTES } from '../../runtime/runtime.ts';
import { defineTask, type TaskDefinition } from '../../runtime/task.ts';
import type { Images } from '../images/images.ts';
import { countFrom, endOf } from '../loops/part-range.ts';
import { defineInputTransform } from './input-transform.ts';
import { defineOutputTransform } from './output-transform.ts';
import { multiplyComponents } from './products.ts';
import { TILE_ENTRY, tilesOf, tileTable } from './tiles.ts';
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
  input: 'i32',
  inputRowBytes: 'i32',
  inputPlaneBytes: 'i32',
  tiles: 'i32',
  tileCount: 'i32',
  blockTiles: 'i32',
  /** Parts that share the tiles of a block, and rows of each. */
  rowParts: 'i32',
  rowsOfPart: 'i32',
  weights: 'i32',
  weightBytes: 'i32',
  k: 'i32',
  rows: 'i32',
  output: 'i32',
  outputRowBytes: 'i32',
  outputPlaneBytes: 'i32',
  mode: 'i32',
  bias: 'i32',
} as const;

/** A block of tiles through all three steps; nothing but the output leaves the scratch memory. */
function defineConvolution(m: OutputTile): TaskDefinition<typeof FIELDS> {
  const components = inputTile(m) ** 2;
  const transformInput = defineInputTransform(m);
  const transformOutput = defineOutputTransform(m);
  return defineTask(`winograd${m}`, FIELDS, (f, fields, { index, scratch }) => {
    const { k, rows, blockTiles, tileCount } = fields;
    const firstTile = f.i32(index.dividedBy(fields.rowParts).times(blockTiles));
    const firstRowOfPart = f.i32(index.modulo(fields.rowParts).times(fields.rowsOfPart));
    const endRow = endOf(f, firstRowOfPart, fields.rowsOfPart, rows);
    const count = countFrom(f, firstTile, blockTiles, tileCount);
    const tiles = f.i32(fields.tiles.plus(firstTile.times(TILE_ENTRY)));
    const temporary = scratch;
    const inputs = f.i32(scratch.plus(TEMPORARY_BYTES));
    const inputBytes = f.i32(count.times(k).times(4).plus(SKEW));
    const products = f.i32(inputs.plus(inputBytes.times(components)));
    const productBytes = f.i32(count.times(BLOCK_ROWS * 4).plus(SKEW));
    f.call(transformInput, {
      input: fields.input,
      rowBytes: fields.inputRowBytes,
      planeBytes: fields.inputPlaneBytes,
      channels: k,
      tiles,
      tileCount: count,
      target: inputs,
      componentBytes: inputBytes,
      temporary,
    });
    f.for(firstRowOfPart, endRow, BLOCK_ROWS, (firstRow) => {
      const rowsHere = countFrom(f, firstRow, BLOCK_ROWS, endRow);
      f.call(multiplyComponents, {
        components,
        a: fields.weights.plus(firstRow.times(k).times(4)),
        aBytes: fields.weightBytes,
        b: inputs,
        bBytes: inputBytes,
        k,
        rows: rowsHere,
        columns: count,
        c: products,
        cBytes: productBytes,
        mode: 0,
      });
      f.for(0, rowsHere, 1, (row) => {
        const channel = firstRow.plus(row);
        f.call(transformOutput, {
          products: products.plus(row.times(count).times(4)),
          componentBytes: productBytes,
          tileCount: count,
          tiles,
          target: fields.output.plus(channel.times(fields.outputPlaneBytes)),
          rowBytes: fields.outputRowBytes,
          mode: fields.mode,
          bias: fields.bias.plus(channel.times(4)),
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
  return TEMPORARY_BYTES + inputTile(m) ** 2 * perComponent;
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

/**
 * output ← (or +=, …, as `mode` says) input ∗ weights.
 *
 * @param input with the zeros around it that the windows need, and `coveredInput` in size
 */
export function winograd(
  frame: Frame,
  m: OutputTile,
  input: Images,
  weights: WeightLayout,
  output: Images,
  { mode, bias }: { mode: number; bias: number },
): void {
  const { rows, k } = weights;
  const tiles = tilesOf(m, output);
  const transformed = transformedWeights(frame, m, weights);
  const blockTiles = tilesOfPart(m, k, tiles);
  const tileCount = Math.ceil(tiles / ALL_COLUMNS) * ALL_COLUMNS;
  const blocks = Math.ceil(tileCount / blockTiles);
  // Where there are fewer blocks than threads, several threads transform the same tiles.
  const rowBlocks = Math.ceil(rows / BLOCK_ROWS);
  const rowsOfPart = Math.ceil(rowBlocks / Math.ceil(frame.threads / blocks)) * BLOCK_ROWS;
  const rowParts = Math.ceil(rows / rowsOfPart);
  frame.run(TASKS[m], blocks * rowParts, {
    input: input.address,
    inputRowBytes: input.width * 4,
    inputPlaneBytes: input.width * input.height * 4,
    tiles: tileTable(m, output, input, output),
    tileCount,
    blockTiles,
    rowParts,
    rowsOfPart,
    weights: transformed.address,
    weightBytes: transformed.planeBytes,
    k,
    rows,
    output: output.address,
    outputRowBytes: output.width * 4,
    outputPlaneBytes: output.width * output.height * 4,
    mode,
    bias,
  });
}
