import type { Conv2dWindow } from '../../../../core/window.ts';
import type { Address } from '../../runtime/address.ts';
import { offsetTable } from '../gemm/offset-table.ts';

/**
 * Tables of offsets that make a convolution a matrix product: a column is one output pixel, a row
 * of the product's inner dimension is one tap (channel, kernel row, kernel column), and the element
 * of the input for both lies at `pixel + tap`.
 */

/** A grid of pixels in each of `images` planes-of-channels. */
export interface PixelGrid {
  readonly images: number;
  readonly imageStride: number;
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
  /** Bytes from the first pixel of the image to that of the grid. */
  readonly start: number;
}

export function pixelTable(grid: PixelGrid): Address {
  return offsetTable(`pixels ${Object.values(grid).join(' ')}`, () => {
    const offsets = new Int32Array(grid.images * grid.rows * grid.columns);
    let at = 0;
    for (let image = 0; image < grid.images; image++) {
      for (let row = 0; row < grid.rows; row++) {
        const rowStart = image * grid.imageStride + grid.start + row * grid.rowStride;
        for (let column = 0; column < grid.columns; column++) {
          offsets[at++] = rowStart + column * grid.columnStride;
        }
      }
    }
    return offsets;
  });
}

/** Kernel rows and columns that take part, each with the bytes it adds. */
export interface TapGrid {
  readonly channels: number;
  readonly channelStride: number;
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

export function tapTable({ channels, channelStride, rows, columns }: TapGrid): Address {
  return offsetTable(`taps ${channels} ${channelStride} ${rows} / ${columns}`, () => {
    const offsets: number[] = [];
    for (let channel = 0; channel < channels; channel++) {
      for (const row of rows) {
        for (const column of columns) offsets.push(channel * channelStride + row + column);
      }
    }
    return offsets;
  });
}

/** The numbers 0, step, 2 · step, … */
function steps(count: number, step: number): number[] {
  return Array.from({ length: count }, (_, i) => i * step);
}

/** Taps of a window over images of the given width, for `channels` channels. */
export function windowTaps(
  window: Conv2dWindow,
  channels: number,
  { height, width }: { height: number; width: number },
): Address {
  return tapTable({
    channels,
    channelStride: height * width * 4,
    rows: steps(window.kernelHeight, window.dilationHeight * width * 4),
    columns: steps(window.kernelWidth, window.dilationWidth * 4),
  });
}

/** Input pixels where the windows start. */
export function windowPixels(
  window: Conv2dWindow,
  images: number,
  { width, stride }: { width: number; stride: number },
): Address {
  return pixelTable({
    images,
    imageStride: stride,
    rows: window.outHeight,
    columns: window.outWidth,
    rowStride: window.strideHeight * width * 4,
    columnStride: window.strideWidth * 4,
    start: 0,
  });
}

/** Pixels of the output, whose image has `channels` channels. */
export function outputPixels(window: Conv2dWindow, images: number, channels: number): Address {
  const { outHeight, outWidth } = window;
  return pixelTable({
    images,
    imageStride: channels * outHeight * outWidth * 4,
    rows: outHeight,
    columns: outWidth,
    rowStride: outWidth * 4,
    columnStride: 4,
    start: 0,
  });
}
