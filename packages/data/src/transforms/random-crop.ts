import { type Generator, type Padding, ShapeError, ValueError } from '@firelight/tensor';
import { checkImage, describeImage, type Image, type PixelData } from '../image.ts';
import type { Transform } from './transform.ts';

export interface RandomCropOptions {
  /** Pixels added around the image first: one number, [height, width], or all four sides. */
  readonly padding?:
    | number
    | readonly [height: number, width: number]
    | readonly [top: number, bottom: number, left: number, right: number];
  /** Value of the added pixels; 0 by default. */
  readonly fill?: number;
}

/** What a window takes: rows of `width` pixels of `step` elements, in `planes` planes. */
interface Grid {
  readonly planes: number;
  readonly step: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Takes a window of the given size at a uniformly random place, of the image with padding around it.
 * Two draws an image.
 *
 * @see MindSpore, `mindspore.dataset.vision.RandomCrop`
 */
export class RandomCrop implements Transform {
  readonly height: number;
  readonly width: number;
  readonly fill: number;
  readonly #padding: Padding;

  /**
   * @param size one number for both sides, or [height, width]
   * @throws ValueError unless sides are integers ≥ 1 and padding integers ≥ 0
   */
  constructor(
    size: number | readonly [height: number, width: number],
    { padding = 0, fill = 0 }: RandomCropOptions = {},
  ) {
    const sides = typeof size === 'number' ? [size, size] : size;
    if (sides.length !== 2 || !sides.every((side) => Number.isInteger(side) && side >= 1)) {
      throw new ValueError(
        `RandomCrop: size must be an integer ≥ 1 or two of them, got [${sides.join(', ')}]`,
      );
    }
    [this.height, this.width] = sides;
    this.fill = fill;
    this.#padding = toPadding(padding);
  }

  /** @throws ShapeError if the image with its padding is smaller than the window */
  apply(image: Image, generator: Generator): Image {
    checkImage('RandomCrop', image);
    const { top, bottom, left, right } = this.#padding;
    const spareRows = image.height + top + bottom - this.height;
    const spareColumns = image.width + left + right - this.width;
    if (spareRows < 0 || spareColumns < 0) {
      throw new ShapeError(
        `RandomCrop: a window of ${this.height} × ${this.width} does not fit into the image ` +
          `${describeImage(image)} with padding [${top}, ${bottom}, ${left}, ${right}]`,
      );
    }
    const firstRow = generator.integer(spareRows + 1) - top;
    const firstColumn = generator.integer(spareColumns + 1) - left;
    const { channels, layout, data } = image;
    const { height, width } = this;
    const isInterleaved = layout === 'HWC';
    const grid = { planes: isInterleaved ? 1 : channels, step: isInterleaved ? channels : 1 };
    const length = height * width * channels;
    const cropped = data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
    if (this.fill !== 0) cropped.fill(this.fill);
    copyWindow(
      data,
      { ...grid, height: image.height, width: image.width },
      cropped,
      { ...grid, height, width },
      { firstRow, firstColumn },
    );
    return { data: cropped, height, width, channels, layout };
  }
}

function toPadding(padding: NonNullable<RandomCropOptions['padding']>): Padding {
  const list = typeof padding === 'number' ? [padding, padding] : padding;
  const [top, bottom, left, right] =
    list.length === 2 ? [list[0], list[0], list[1], list[1]] : list;
  const sides = [top, bottom, left, right];
  if (!sides.every((side) => Number.isInteger(side) && side >= 0)) {
    throw new ValueError(`RandomCrop: padding must be integers ≥ 0, got [${sides.join(', ')}]`);
  }
  return { top, bottom, left, right };
}

/** Copies the part of the window that is inside the source, row by row. */
function copyWindow(
  source: PixelData,
  from: Grid,
  target: PixelData,
  to: Grid,
  { firstRow, firstColumn }: { firstRow: number; firstColumn: number },
): void {
  const { step } = from;
  const left = Math.max(0, firstColumn);
  const length = (Math.min(from.width, firstColumn + to.width) - left) * step;
  if (length <= 0) return;
  for (let plane = 0; plane < from.planes; plane++) {
    const top = Math.max(0, firstRow);
    const bottom = Math.min(from.height, firstRow + to.height);
    for (let row = top; row < bottom; row++) {
      const at = ((plane * from.height + row) * from.width + left) * step;
      const into = ((plane * to.height + row - firstRow) * to.width + left - firstColumn) * step;
      for (let i = 0; i < length; i++) target[into + i] = source[at + i];
    }
  }
}
