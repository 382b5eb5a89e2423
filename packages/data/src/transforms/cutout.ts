import type { Generator } from '@firelight/tensor';
import { expectFinite, expectInteger } from '@firelight/tensor/extend';
import { expectOptions } from '../core/check.ts';
import { checkImage, type Image } from '../core/image.ts';
import { defineTransform } from './transform.ts';

/** How many squares `Cutout` covers, and with what. */
export interface CutoutOptions {
  /** Number of squares; 1 by default. */
  readonly holes?: number;
  /** Their value; 0 by default, which after `Normalize` is the mean colour. */
  readonly fill?: number;
}

/**
 * Covers squares of the given side, whose centres are uniform over the pixels; what would be outside
 * of the image is cut off. Two draws a square. Takes either layout.
 *
 * @throws ValueError unless `length` and `holes` are integers ≥ 0, and `fill` finite
 * @see DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout",
 *   arXiv:1708.04552; MindSpore, `mindspore.dataset.vision.CutOut`
 */
export const Cutout = defineTransform('Cutout', (length: number, options: CutoutOptions = {}) => {
  const { holes = 1, fill = 0 } = expectOptions('Cutout', options);
  expectInteger('Cutout', 'length', length, 0);
  expectInteger('Cutout', 'holes', holes, 0);
  expectFinite('Cutout', 'fill', fill);
  return {
    length,
    holes,
    fill,
    apply(image: Image, generator: Generator): Image {
      checkImage('Cutout', image);
      const { height, width, channels, layout } = image;
      const data = image.data.slice();
      const isInterleaved = layout === 'HWC';
      const planes = isInterleaved ? 1 : channels;
      const step = isInterleaved ? channels : 1;
      for (let hole = 0; hole < holes; hole++) {
        const top = generator.integer(height) - (length >> 1);
        const left = generator.integer(width) - (length >> 1);
        const right = Math.min(left + length, width);
        const bottom = Math.min(top + length, height);
        for (let plane = 0; plane < planes; plane++) {
          for (let row = Math.max(top, 0); row < bottom; row++) {
            const start = (plane * height + row) * width;
            data.fill(fill, (start + Math.max(left, 0)) * step, (start + right) * step);
          }
        }
      }
      return { ...image, data };
    },
  };
});
export type Cutout = InstanceType<typeof Cutout>;
