import type { Generator } from '@firelight/tensor';
import { expectShare } from '@firelight/tensor/extend';
import { checkImage, type Image, type PixelData } from '../core/image.ts';
import { defineTransform } from './transform.ts';

/**
 * Mirrors an image left to right with a given probability. One draw an image.
 *
 * @throws ValueError unless the probability is in [0, 1]
 * @see MindSpore, `mindspore.dataset.vision.RandomHorizontalFlip`
 */
export const RandomHorizontalFlip = defineTransform(
  'RandomHorizontalFlip',
  (probability: number = 0.5) => {
    expectShare('RandomHorizontalFlip', 'probability', probability);
    return {
      probability,
      apply(image: Image, generator: Generator): Image {
        checkImage('RandomHorizontalFlip', image);
        const [draw] = generator.uniform(1);
        if (draw >= probability) return image;
        const { height, width, channels, layout, data } = image;
        const isInterleaved = layout === 'HWC';
        const mirrored = data.slice();
        mirrorRows(data, mirrored, {
          rows: isInterleaved ? height : height * channels,
          width,
          step: isInterleaved ? channels : 1,
        });
        return { ...image, data: mirrored };
      },
    };
  },
);
export type RandomHorizontalFlip = InstanceType<typeof RandomHorizontalFlip>;

/** Rows of `width` pixels of `step` elements each. */
function mirrorRows<Data extends PixelData>(
  source: Data,
  target: Data,
  { rows, width, step }: { rows: number; width: number; step: number },
): void {
  const rowLength = width * step;
  for (let row = 0; row < rows; row++) {
    const start = row * rowLength;
    const last = start + rowLength - step;
    for (let x = 0; x < rowLength; x += step) {
      for (let c = 0; c < step; c++) target[start + x + c] = source[last - x + c];
    }
  }
}
