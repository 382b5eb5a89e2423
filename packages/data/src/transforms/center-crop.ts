import { checkImage, type Image } from '../core/image.ts';
import { type SideOption, takeCrop, toSides } from './crop.ts';
import { defineTransform } from './transform.ts';

/**
 * Takes the window of the given size in the middle: its top is ⌊(H − height) / 2⌋, its left
 * ⌊(W − width) / 2⌋. Where the image is smaller, zeros are around it.
 *
 * @param size one number for both sides, or [height, width]
 * @throws ValueError unless sides are integers ≥ 1
 * @see MindSpore, `mindspore.dataset.vision.CenterCrop`
 */
export const CenterCrop = defineTransform('CenterCrop', (size: SideOption) => {
  const [height, width] = toSides('CenterCrop', size);
  return {
    height,
    width,
    apply(image: Image): Image {
      checkImage('CenterCrop', image);
      const top = Math.floor((image.height - height) / 2);
      const left = Math.floor((image.width - width) / 2);
      return takeCrop(image, { top, left, height, width }, 0);
    },
  };
});
export type CenterCrop = InstanceType<typeof CenterCrop>;
