import { type Generator, type Padding, ShapeError, ValueError } from '@firelight/tensor';
import { expectFinite, expectOptions, expectThat } from '../core/check.ts';
import { checkImage, describeImage, type Image } from '../core/image.ts';
import type { Recipe } from '../core/recipe.ts';
import { describeRange } from './range.ts';
import type { Transform } from './transform.ts';
import { type SideOption, takeWindow, toSides } from './window.ts';

export interface RandomCropOptions {
  /** Pixels added around the image first: one number, [height, width], or all four sides. */
  readonly padding?:
    | number
    | readonly [height: number, width: number]
    | readonly [top: number, bottom: number, left: number, right: number];
  /** Value of the added pixels; 0 by default. */
  readonly fill?: number;
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
  constructor(size: SideOption, options: RandomCropOptions = {}) {
    const { padding = 0, fill = 0 } = expectOptions('RandomCrop', options);
    expectFinite('RandomCrop: fill', fill);
    [this.height, this.width] = toSides('RandomCrop', size);
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
    const { height, width } = this;
    return takeWindow(image, { top: firstRow, left: firstColumn, height, width }, this.fill);
  }

  recipe(): Recipe {
    const { top, bottom, left, right } = this.#padding;
    const options = { padding: [top, bottom, left, right], fill: this.fill };
    return { name: 'RandomCrop', args: [[this.height, this.width], options] };
  }
}

function toPadding(padding: NonNullable<RandomCropOptions['padding']>): Padding {
  const list = typeof padding === 'number' ? [padding, padding] : padding;
  const isList = Array.isArray(list) && (list.length === 2 || list.length === 4);
  expectThat(isList, 'RandomCrop: padding', 'an integer ≥ 0, or a list of two or four', padding);
  const [top, bottom, left, right] =
    list.length === 2 ? [list[0], list[0], list[1], list[1]] : list;
  const sides = [top, bottom, left, right];
  if (!sides.every((side) => Number.isInteger(side) && side >= 0)) {
    throw new ValueError(`RandomCrop: padding must be integers ≥ 0, got ${describeRange(sides)}`);
  }
  return { top, bottom, left, right };
}
