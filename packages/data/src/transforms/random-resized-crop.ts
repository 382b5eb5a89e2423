import { type Generator, ValueError } from '@firelight/tensor';
import { expectOptions } from '../core/check.ts';
import { checkInterleaved, type Image } from '../core/image.ts';
import { type Crop, type SideOption, takeCrop, toSides } from './crop.ts';
import type { Interpolation } from './interpolation.ts';
import { describeNumbers, drawFrom, type Interval, isInterval } from './interval.ts';
import { Resize } from './resize.ts';
import { defineTransform } from './transform.ts';

/** Which part `RandomResizedCrop` takes. */
export interface RandomResizedCropOptions {
  /** Part of the image's area; [0.08, 1] by default. */
  readonly scale?: Interval;
  /** Width divided by height, uniform in its logarithm; [3/4, 4/3] by default. */
  readonly ratio?: Interval;
  /** Default `'linear'`. */
  readonly interpolation?: Interpolation;
}

/** Windows that do not fit are drawn again so often. */
const ATTEMPTS = 10;

/**
 * Takes a window of random area and ratio at a random place and resizes it, as GoogLeNet was trained.
 * If ten draws give none that fits, the largest one in the middle with an allowed ratio is taken.
 *
 * @param size one number for both sides, or [height, width]
 * @throws ValueError unless sides are integers ≥ 1, 0 < scale ≤ 1 and 0 < ratio
 * @see MindSpore, `mindspore.dataset.vision.RandomResizedCrop`; Szegedy et al., arXiv:1409.4842
 */
export const RandomResizedCrop = defineTransform(
  'RandomResizedCrop',
  (size: SideOption, options: RandomResizedCropOptions = {}) => {
    const {
      scale = [0.08, 1],
      ratio = [3 / 4, 4 / 3],
      interpolation = 'linear',
    } = expectOptions('RandomResizedCrop', options);
    const isWithin = (range: Interval): boolean =>
      isInterval(range) && range[0] > 0 && range[1] < Infinity;
    if (!isWithin(scale) || scale[1] > 1 || !isWithin(ratio)) {
      throw new ValueError(
        'RandomResizedCrop: scale must be [low, high] within 0 to 1 and ratio [low, high] above 0, ' +
          `got ${describeNumbers(scale)} and ${describeNumbers(ratio)}`,
      );
    }
    const resize = new Resize(toSides('RandomResizedCrop', size), { interpolation });
    return {
      scale,
      ratio,
      /** @throws ShapeError if the image is not `[H, W, C]` */
      apply(image: Image, generator: Generator): Image {
        checkInterleaved('RandomResizedCrop', image);
        return resize.apply(takeCrop(image, drawCrop(image, { scale, ratio }, generator), 0));
      },
    };
  },
);
export type RandomResizedCrop = InstanceType<typeof RandomResizedCrop>;

function drawCrop(
  { height: rows, width: columns }: Image,
  { scale, ratio: [least, most] }: { scale: Interval; ratio: Interval },
  generator: Generator,
): Crop {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const area = rows * columns * drawFrom(generator, scale);
    const ratio = Math.exp(drawFrom(generator, [Math.log(least), Math.log(most)]));
    const width = Math.round(Math.sqrt(area * ratio));
    const height = Math.round(Math.sqrt(area / ratio));
    if (width < 1 || height < 1 || width > columns || height > rows) continue;
    const top = generator.integer(rows - height + 1);
    const left = generator.integer(columns - width + 1);
    return { top, left, height, width };
  }
  const ratio = Math.min(Math.max(columns / rows, least), most);
  const width = Math.max(Math.min(columns, Math.round(rows * ratio)), 1);
  const height = Math.max(Math.min(rows, Math.round(columns / ratio)), 1);
  const top = Math.floor((rows - height) / 2);
  return { top, left: Math.floor((columns - width) / 2), height, width };
}
