import { defineFunction, type FunctionBuilder } from '../../assembler/function.ts';
import type { LocalsOf } from '../../assembler/parameters.ts';
import type { I32 } from '../../assembler/scalars.ts';
import type { FieldValues } from '../../runtime/task.ts';
import { IMAGES, type Images } from '../images/images.ts';
import { countFrom } from '../loops/part-range.ts';
import { copyRow, fillRow } from '../loops/rows.ts';
import { type PLANES_IN_MEMORY, planesOf, type TileLayout } from './tiles.ts';
import { inputTile, type OutputTile } from './transforms.ts';

/**
 * The zeros around images without padded images in memory, which would be written and read once more:
 * what a block of tiles covers of a channel is copied, with its zeros, to the thread's own memory right
 * before it is transformed, where it stays in the first cache. A block is whole images, or rows of tiles
 * of one.
 */

/** How tiles are cut into blocks. */
export interface Cut {
  readonly tiles: number;
  /** Of a block. */
  readonly images: number;
  /** Of one image in a block. */
  readonly tileRows: number;
  /** 1 unless a block is a part of an image. */
  readonly blocksOfImage: number;
}

/**
 * The largest blocks of at most `most` tiles, and at least half as many, in whole multiples of `unit`;
 * null where no such number is one of whole images or of an even share of an image.
 */
export function cutIntoBlocks(
  m: OutputTile,
  { height, width }: Pick<Images, 'height' | 'width'>,
  most: number,
  unit: number,
): Cut | null {
  const rows = Math.ceil(height / m);
  const tilesOfRow = Math.ceil(width / m);
  const ofImage = rows * tilesOfRow;
  for (let tiles = most - (most % unit); tiles >= Math.max(unit, most / 2); tiles -= unit) {
    if (tiles % ofImage === 0) {
      return { tiles, images: tiles / ofImage, tileRows: rows, blocksOfImage: 1 };
    }
    if (ofImage % tiles === 0 && tiles % tilesOfRow === 0) {
      const tileRows = tiles / tilesOfRow;
      return { tiles, images: 1, tileRows, blocksOfImage: ofImage / tiles };
    }
  }
  return null;
}

/** Most bytes of one channel under `tiles` tiles: the tiles overlap. */
export function copyBytes(m: OutputTile, tiles: number): number {
  return tiles * inputTile(m) ** 2 * 4;
}

/** How the pixels of a block are copied. */
export const COPY = {
  images: IMAGES,
  /** Images of a block; 0 where nothing is copied, as the zeros are in memory. */
  together: 'i32',
  blocksOfImage: 'i32',
  /** Of pixels, from one block of an image to the next. */
  rowsBetween: 'i32',
  /** Zeros before the images. */
  top: 'i32',
  left: 'i32',
  /** Of the copy of an image. */
  rows: 'i32',
  rowBytes: 'bytes',
} as const;

/** For images that have their zeros in memory. */
const NO_COPY = {
  together: 0,
  blocksOfImage: 1,
  rowsBetween: 0,
  top: 0,
  left: 0,
  rows: 0,
  rowBytes: 0,
};

/** Where the tiles of a channel are read: in memory, or in the copy of their block. */
export interface TilesOfInput {
  readonly planes: FieldValues<typeof PLANES_IN_MEMORY>;
  readonly layout: TileLayout;
  readonly copy: FieldValues<typeof COPY>;
}

/** Blocks, and the zeros that are missing above the images and to their left. */
export interface Blocks {
  readonly cut: Cut;
  readonly top: number;
  readonly left: number;
}

/**
 * Where tiles are read.
 *
 * @param images without their zeros, if `blocks` are copied
 * @param output gives the pixels that the tiles cover
 */
export function tilesOfInput(
  m: OutputTile,
  images: Images,
  output: Pick<Images, 'width'>,
  blocks: Blocks | null,
): TilesOfInput {
  if (blocks === null) {
    return { planes: planesOf(images), layout: images, copy: { images, ...NO_COPY } };
  }
  const { cut, top, left } = blocks;
  const { images: together, tileRows, blocksOfImage } = cut;
  const rows = tileRows * m + 2;
  const width = Math.ceil(output.width / m) * m + 2;
  const rowsBetween = tileRows * m;
  const stride = rows * width * 4;
  return {
    planes: { address: images.address, rowBytes: width * 4, planeBytes: together * stride },
    layout: { width, stride, images: together, tileRows },
    copy: { images, together, blocksOfImage, rowsBetween, top, left, rows, rowBytes: width * 4 },
  };
}

/** Copies what a block covers of one channel between zeros that are there already. */
const copyChannel = defineFunction(
  'copyWinogradBlock',
  {
    source: 'address',
    imageBytes: 'bytes',
    width: 'i32',
    target: 'address',
    copyBytes: 'bytes',
    rowBytes: 'bytes',
    images: 'i32',
    rows: 'i32',
  },
  (f, { source, imageBytes, width, target, copyBytes, rowBytes, images, rows }) => {
    const from = f.i32();
    const to = f.i32();
    f.for(0, images, 1, () => {
      from.set(source);
      to.set(target);
      f.for(0, rows, 1, () => {
        f.call(copyRow, { target: to, source: from, count: width });
        from.set(from.plus(width.times(4)));
        to.set(to.plus(rowBytes));
      });
      source.set(source.plus(imageBytes));
      target.set(target.plus(copyBytes));
    });
  },
);

/** Copies channels of one block after the other to the same places. */
export class BlockCopier {
  readonly #f: FunctionBuilder;
  readonly #fields: LocalsOf<typeof COPY>;
  /** The first pixel that is copied: of channel 0 in images, and in a copy. */
  readonly #source: I32;
  readonly #start: I32;
  readonly #images: I32;
  readonly #rows: I32;
  /** Of the copies of one channel, those of all images of a block. */
  readonly channelBytes: I32;

  /**
   * @param block its number
   * @param target where channels are copied to; zeros are written there for `channels` of them
   */
  constructor(
    f: FunctionBuilder,
    fields: LocalsOf<typeof COPY>,
    { block, target, channels }: { block: I32; target: I32; channels: number },
  ) {
    const { images, together, blocksOfImage, top, left, rows, rowBytes } = fields;
    this.#f = f;
    this.#fields = fields;
    const firstImage = f.i32(block.dividedBy(blocksOfImage).times(together));
    this.#images = countFrom(f, firstImage, together, images.count);
    const firstRow = f.i32(block.modulo(blocksOfImage).times(fields.rowsBetween));
    /** Rows of the copy above the image. */
    const above = f.i32(top.minus(firstRow));
    above.set(above.max(0));
    firstRow.set(firstRow.plus(above).minus(top));
    this.#rows = countFrom(f, firstRow, f.i32(rows.minus(above)), images.height);
    this.#source = f.i32(
      images.address
        .plus(firstImage.times(images.stride))
        .plus(firstRow.times(images.width).times(4)),
    );
    this.#start = f.i32(above.times(rowBytes).plus(left.times(4)));
    this.channelBytes = f.i32(together.times(rows).times(rowBytes));
    const count = this.channelBytes.times(channels).dividedBy(4);
    f.call(fillRow, { target, count, value: 0 });
  }

  copy(channel: I32, target: I32): void {
    const { images, rows, rowBytes } = this.#fields;
    this.#f.call(copyChannel, {
      source: this.#source.plus(channel.times(images.height).times(images.width).times(4)),
      imageBytes: images.stride,
      width: images.width,
      target: target.plus(this.#start),
      copyBytes: rows.times(rowBytes),
      rowBytes,
      images: this.#images,
      rows: this.#rows,
    });
  }
}
