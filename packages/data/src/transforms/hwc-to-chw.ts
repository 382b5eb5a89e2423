import { ShapeError } from '@firelight/tensor';
import { checkImage, describeImage, type Image } from '../image.ts';
import type { Transform } from './transform.ts';

/**
 * Transposes `[H, W, C]` to `[C, H, W]`, the layout of a network's input.
 *
 * @see MindSpore, `mindspore.dataset.vision.HWC2CHW`
 */
export class HWC2CHW implements Transform {
  /** @throws ShapeError if the image is `[C, H, W]` already */
  apply(image: Image): Image {
    if (image.layout !== 'HWC') {
      throw new ShapeError(
        `HWC2CHW: the image is ${describeImage(image)} already; apply HWC2CHW once, as the last step`,
      );
    }
    checkImage('HWC2CHW', image);
    const { data: source, height, width, channels } = image;
    const plane = height * width;
    const data =
      source instanceof Uint8Array
        ? new Uint8Array(source.length)
        : new Float32Array(source.length);
    for (let channel = 0; channel < channels; channel++) {
      const offset = channel * plane;
      for (let i = 0, from = channel; i < plane; i++, from += channels) {
        data[offset + i] = source[from];
      }
    }
    return { data, height, width, channels, layout: 'CHW' };
  }
}
