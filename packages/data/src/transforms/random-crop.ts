import { type Generator, ShapeError, ValueError } from '@firelight/tensor';
import { expectFinite, expectThat } from '@firelight/tensor/extend';
import { expectOptions } from '../core/check.ts';
import { checkImage, describeImage, type Image } from '../core/image.ts';
import { type SideOption, takeCrop, toSides } from './crop.ts';
import { describeNumbers } from './interval.ts';
import { defineTransform } from './transform.ts';

/** What `RandomCrop` puts around an image first. */
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
 * @param size one number for both sides, or [height, width]
 * @throws ValueError unless sides are integers ≥ 1 and padding integers ≥ 0
 * @see MindSpore, `mindspore.dataset.vision.RandomCrop`
 */
export const RandomCrop = defineTransform(
  'RandomCrop',
  (size: SideOption, options: RandomCropOptions = {}) => {
    const { padding = 0, fill = 0 } = expectOptions('RandomCrop', options);
    expectFinite('RandomCrop', 'fill', fill);
    const [height, width] = toSides('RandomCrop', size);
    const [top, bottom, left, right] = toPadding(padding);
    return {
      height,
      width,
      fill,
      /** @throws ShapeError if the image with its padding is smaller than the window */
      apply(image: Image, generator: Generator): Image {
        checkImage('RandomCrop', image);
        const spareRows = image.height + top + bottom - height;
        const spareColumns = image.width + left + right - width;
        if (spareRows < 0 || spareColumns < 0) {
          throw new ShapeError(
            `RandomCrop: a window of ${height} × ${width} does not fit into the image ` +
              `${describeImage(image)} with padding [${top}, ${bottom}, ${left}, ${right}]`,
          );
        }
        const firstRow = generator.integer(spareRows + 1) - top;
        const firstColumn = generator.integer(spareColumns + 1) - left;
        return takeCrop(image, { top: firstRow, left: firstColumn, height, width }, fill);
      },
    };
  },
);
export type RandomCrop = InstanceType<typeof RandomCrop>;

type Sides = readonly [top: number, bottom: number, left: number, right: number];

function toPadding(padding: NonNullable<RandomCropOptions['padding']>): Sides {
  const list = typeof padding === 'number' ? [padding, padding] : padding;
  const isList = Array.isArray(list) && (list.length === 2 || list.length === 4);
  expectThat(isList, 'RandomCrop', 'padding', 'an integer ≥ 0, or a list of two or four', padding);
  const [top, bottom, left, right] =
    list.length === 2 ? [list[0], list[0], list[1], list[1]] : list;
  const sides = [top, bottom, left, right] as const;
  if (!sides.every((side) => Number.isInteger(side) && side >= 0)) {
    throw new ValueError(`RandomCrop: padding must be integers ≥ 0, got ${describeNumbers(sides)}`);
  }
  return sides;
}
