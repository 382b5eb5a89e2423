import { transposed4 } from '../../assembler/transpose.ts';
import { splat } from '../../assembler/vectors.ts';
import { MODE } from '../../micro-kernel/micro-kernel.ts';
import { ALL_COLUMNS, ALL_ROWS, roundedUp, tileOf } from '../../micro-kernel/tile.ts';
import type { Address } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import { SCRATCH_BYTES } from '../../runtime/runtime.ts';
import { defineTask } from '../../runtime/task.ts';
import type { Images } from '../images/images.ts';
import { countFrom, endOf, partRange } from '../loops/part-range.ts';
import {
  BlockCopier,
  type Blocks,
  COPY,
  type Cut,
  copyBytes,
  cutIntoBlocks,
  tilesOfInput,
} from './blocks.ts';
import { defineChannelTransform } from './channel-transform.ts';
import { COMPONENTS, multiplyComponents } from './products.ts';
import { PLANES_IN_MEMORY, planesOf, TILE_ENTRY, TILES, tilesOf, tileTable } from './tiles.ts';
import { inputTile, type OutputTile, WEIGHT_GRADIENT } from './transforms.ts';

/**
 * The gradient by 3×3 weights by Winograd's algorithm: for each of the n² components a product whose
 * inner dimension runs over tiles, and in the end one transform back for each pair of channels. The
 * lanes of a vector hold channels of one tile.
 */

/** Most parts over which the images are spread; each has sums of its own. */
const PARTS = 8;
/** Tiles for which it is worth writing and reading sums once more. */
const PART_TILES = 48;
const SUM_BYTES = 96 * 2 ** 20;
/** Tiles that are transformed before they are multiplied. */
const MOST_TILES = 64;
const TRANSFORMED_BYTES = 2 * 2 ** 20;
const TEMPORARY_BYTES = 2048;
const SKEW = 64;
/** Of vectors on any machine. */
const MOST_LANES = 8;

const FIELDS = {
  /** Where tiles of channels are read, in memory or in the copies of their blocks. */
  input: PLANES_IN_MEMORY,
  copy: COPY,
  gradient: PLANES_IN_MEMORY,
  inChannels: 'i32',
  outChannels: 'i32',
  tiles: TILES,
  tilesOfPart: 'i32',
  blockTiles: 'i32',
  sums: 'address',
} as const;

/** sums[part][component][outChannel][inChannel], input channels filled up to `ALL_COLUMNS`. */
function defineSums(m: OutputTile) {
  const components = inputTile(m) ** 2;
  const transformInput = defineChannelTransform(m, 'input');
  const transformGradient = defineChannelTransform(m, 'gradient');
  return defineTask(`winogradWeightGrad${m}`, FIELDS, (f, p, { index, scratch }) => {
    const tile = tileOf(f.features);
    const columns = f.i32(roundedUp(p.inChannels, ALL_COLUMNS));
    const sumBytes = f.i32(p.outChannels.times(columns).times(4));
    const sums = f.i32(p.sums.plus(index.times(sumBytes).times(components)));
    const { first, end } = partRange(f, index, p.tilesOfPart, p.tiles.count);
    const copied = f.i32(scratch.plus(TEMPORARY_BYTES));
    const inputs = f.i32(copied.plus(copyBytes(m, MOST_TILES) * f.lanes));
    const inputBytes = f.i32(columns.times(p.blockTiles).times(4).plus(SKEW));
    const gradients = f.i32(inputs.plus(inputBytes.times(components)));
    const gradientBytes = f.i32(
      roundedUp(p.outChannels, tile.rows).times(p.blockTiles).times(4).plus(SKEW),
    );
    f.for(first, end, p.blockTiles, (firstTile) => {
      const count = countFrom(f, firstTile, p.blockTiles, end);
      const tiles = f.i32(p.tiles.address.plus(firstTile.times(TILE_ENTRY)));
      const block = f.i32(firstTile.dividedBy(p.blockTiles));
      const copier = new BlockCopier(f, p.copy, { block, target: copied, channels: f.lanes });
      f.for(0, p.inChannels, f.lanes, (channel) => {
        const panel = channel.dividedBy(tile.columns).times(tile.columns).times(count);
        const source = f.i32(p.input.address.plus(channel.times(p.input.planeBytes)));
        f.if(p.copy.together, () => {
          const target = f.i32(copied);
          f.for(channel, endOf(f, channel, f.lanes, p.inChannels), 1, (channel) => {
            copier.copy(channel, target);
            target.set(target.plus(copier.channelBytes));
          });
          source.set(copied);
        });
        f.call(transformInput, {
          source,
          planeBytes: p.input.planeBytes,
          lastPlane: p.inChannels.minus(1).minus(channel).times(p.input.planeBytes),
          rowBytes: p.input.rowBytes,
          tiles: { address: tiles, count },
          target: inputs.plus(panel.plus(channel.modulo(tile.columns)).times(4)),
          tileBytes: tile.columns * 4,
          componentBytes: inputBytes,
          temporary: scratch,
        });
      });
      f.for(0, p.outChannels, tile.rows, (channel) => {
        f.call(transformGradient, {
          source: p.gradient.address.plus(channel.times(p.gradient.planeBytes)),
          planeBytes: p.gradient.planeBytes,
          lastPlane: p.outChannels.minus(1).minus(channel).times(p.gradient.planeBytes),
          rowBytes: p.gradient.rowBytes,
          tiles: { address: tiles, count },
          target: gradients.plus(channel.times(count).times(4)),
          tileBytes: tile.rows * 4,
          componentBytes: gradientBytes,
          temporary: scratch,
        });
      });
      const mode = f.i32(MODE.accumulate);
      f.if(firstTile.equals(first), () => mode.set(0));
      f.call(multiplyComponents, {
        count: components,
        a: { address: gradients, componentBytes: gradientBytes },
        b: { address: inputs, componentBytes: inputBytes },
        k: count,
        rows: p.outChannels,
        columns,
        c: { address: sums, componentBytes: sumBytes },
        mode,
      });
    });
  });
}

const TRANSFORM_BACK = {
  sums: COMPONENTS,
  parts: 'i32',
  inChannels: 'i32',
  columns: 'i32',
  weight: 'address',
} as const;

/** A part is one output channel: adds the sums of all parts in their order, and transforms back. */
function defineTransformBack(m: OutputTile) {
  const n = inputTile(m);
  return defineTask(`winogradWeightGradBack${m}`, TRANSFORM_BACK, (f, p, { index, scratch }) => {
    const vectorBytes = f.lanes * 4;
    const values = f.floatsOf(n);
    const taps = f.floatsOf(3);
    /** The nine taps of as many kernels as there are lanes. */
    const kernels = f.floatsOf(9);
    const halves = f.floatsOf(4);
    const partBytes = f.i32(p.sums.componentBytes.times(n * n));
    const at = f.i32();
    const target = f.i32(p.weight.plus(index.times(p.inChannels).times(36)));
    f.for(0, p.inChannels, f.lanes, (channel) => {
      const source = f.i32(p.sums.address.plus(index.times(p.columns).plus(channel).times(4)));
      const row = f.i32(scratch);
      f.for(0, n, 1, (column) => {
        const first = f.i32(source.plus(column.times(p.sums.componentBytes)));
        for (const value of values) value.set(splat(0));
        f.for(0, p.parts, 1, () => {
          at.set(first);
          for (const value of values) {
            value.set(value.plus(f.load(at)));
            at.set(at.plus(p.sums.componentBytes.times(n)));
          }
          first.set(first.plus(partBytes));
        });
        WEIGHT_GRADIENT[m](f, values, taps);
        taps.forEach((tap, i) => {
          f.store(row, tap, i * n * vectorBytes);
        });
        row.set(row.plus(vectorBytes));
      });
      for (let y = 0; y < 3; y++) {
        values.forEach((value, i) => {
          value.set(f.load(scratch, (y * n + i) * vectorBytes));
        });
        WEIGHT_GRADIENT[m](f, values, kernels.slice(3 * y, 3 * y + 3));
      }
      const left = f.i32(p.inChannels.minus(channel));
      const [begin, middle] = [kernels.slice(0, 4), kernels.slice(4, 8)].map((vectors) =>
        transposed4(vectors, halves).map((vector) => f.floats(vector).vectors),
      );
      for (let lane = 0; lane < f.lanes; lane++) {
        const part = Math.floor(lane / 4);
        f.if(left.greaterThan(lane), () => {
          f.store(target, begin[lane % 4][part], lane * 36);
          f.store(target, middle[lane % 4][part], lane * 36 + 16);
          f.store(target, kernels[8].lane(lane), lane * 36 + 32);
        });
      }
      target.set(target.plus(f.lanes * 36));
    });
  });
}

const TASKS = {
  2: { sums: defineSums(2), back: defineTransformBack(2) },
  4: { sums: defineSums(4), back: defineTransformBack(4) },
} as const;

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

/** Tiles of a block, or null where not even a few fit into the thread's memory. */
export function weightGradTiles(
  m: OutputTile,
  inChannels: number,
  outChannels: number,
): number | null {
  const columns = roundUp(inChannels, ALL_COLUMNS);
  const rows = roundUp(outChannels, ALL_ROWS);
  const perTile = (columns + rows) * 4 * inputTile(m) ** 2;
  const tiles = Math.min(MOST_TILES, Math.floor(TRANSFORMED_BYTES / perTile));
  const before = TEMPORARY_BYTES + copyBytes(m, MOST_TILES) * MOST_LANES;
  const bytes = before + tiles * perTile + 2 * SKEW * inputTile(m) ** 2;
  return tiles >= 8 && bytes <= SCRATCH_BYTES ? tiles : null;
}

/**
 * The blocks, of at most `tiles`, in which images are copied with their zeros; null where they, and their
 * gradients, need them in memory.
 */
export function cutForWeightGrad(
  m: OutputTile,
  tiles: number,
  gradient: Pick<Images, 'height' | 'width'>,
): Cut | null {
  const isWhole = gradient.height % m === 0 && gradient.width % m === 0;
  return isWhole ? cutIntoBlocks(m, gradient, tiles, 1) : null;
}

/**
 * weight ← the gradient by 3×3 weights [O, I, 3, 3].
 *
 * @param input x with the zeros around it that the windows need, and `coveredInput` in size; or without
 *   them, if it is `copied` in blocks, of a cut by `cutForWeightGrad`
 * @param gradient the output's gradient, with zeros to the right and below up to whole tiles;
 *   `size` is without them
 */
export function winogradWeightGrad(
  frame: Frame,
  m: OutputTile,
  input: Images,
  gradient: Images,
  size: Pick<Images, 'count' | 'height' | 'width'>,
  { weight, blockTiles, copied }: { weight: Address; blockTiles: number; copied: Blocks | null },
): void {
  const { planes, layout, copy } = tilesOfInput(m, input, size, copied);
  const tiles = copied?.cut.tiles ?? blockTiles;
  const tileCount = tilesOf(m, { ...gradient, ...size });
  const rows = gradient.channels;
  const columns = roundUp(input.channels, ALL_COLUMNS);
  const components = inputTile(m) ** 2;
  const mostParts = Math.max(1, Math.floor(SUM_BYTES / (rows * columns * components * 4)));
  // An even number, so that two threads have equally much to do.
  const worthwhile = Math.max(2, 2 * Math.floor(tileCount / (2 * PART_TILES)));
  // A block that is copied as a whole is not shared by two parts.
  const unit = copied === null ? 8 : tiles;
  const tilesOfPart = roundUp(Math.ceil(tileCount / Math.min(PARTS, mostParts, worthwhile)), unit);
  const parts = Math.ceil(tileCount / tilesOfPart);
  const sums = frame.temporary(parts * components * rows * columns * 4);
  frame.run(TASKS[m].sums, parts, {
    input: planes,
    copy,
    gradient: planesOf(gradient),
    inChannels: input.channels,
    outChannels: gradient.channels,
    tiles: { address: tileTable(m, size, layout, gradient), count: tileCount },
    tilesOfPart,
    blockTiles: tiles,
    sums,
  });
  frame.run(TASKS[m].back, gradient.channels, {
    sums: { address: sums, componentBytes: rows * columns * 4 },
    parts,
    inChannels: input.channels,
    columns,
    weight,
  });
}
