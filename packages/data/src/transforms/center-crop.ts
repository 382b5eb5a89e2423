import { checkImage, type Image } from '../core/image.ts';
import type { Recipe } from '../core/recipe.ts';
import type { Transform } from './transform.ts';
import { type SideOption, takeWindow, toSides } from './window.ts';

/**
 * Takes the window of the given size in the middle: its top is ⌊(H − height) / 2⌋, its left
 * ⌊(W − width) / 2⌋. Where the image is smaller, zeros are around it.
 *
 * @see MindSpore, `mindspore.dataset.vision.CenterCrop`
 */
export class CenterCrop implements Transform {
  readonly height: number;
  readonly width: number;

  /**
   * @param size one number for both sides, or [height, width]
   * @throws ValueError unless sides are integers ≥ 1
   */
  constructor(size: SideOption) {
    [this.height, this.width] = toSides('CenterCrop', size);
  }

  apply(image: Image): Image {
    checkImage('CenterCrop', image);
    const { height, width } = this;
    const top = Math.floor((image.height - height) / 2);
    const left = Math.floor((image.width - width) / 2);
    return takeWindow(image, { top, left, height, width }, 0);
  }

  recipe(): Recipe {
    return { name: 'CenterCrop', args: [[this.height, this.width]] };
  }
}
