import { ShapeError } from '@firelight/tensor';
import { checkImage, describeImage, type Image, type PixelData } from '../core/image.ts';
import { defineTransform } from './transform.ts';

/**
 * Transposes `[H, W, C]` to `[C, H, W]`, the layout of a network's input.
 *
 * @see MindSpore, `mindspore.dataset.vision.HWC2CHW`
 */
export const HWC2CHW = defineTransform('HWC2CHW', () => ({
  /** @throws ShapeError if the image is `[C, H, W]` already */
  apply(image: Image): Image {
    checkImage('HWC2CHW', image);
    if (image.layout !== 'HWC') {
      throw new ShapeError(
        `HWC2CHW: the image is ${describeImage(image)} already; apply HWC2CHW once, as the last step`,
      );
    }
    const { data: source, height, width, channels } = image;
    const data =
      source instanceof Uint8Array
        ? gatherPlanes(source, new Uint8Array(source.length), channels)
        : gatherPlanes(source, new Float32Array(source.length), channels);
    return { data, height, width, channels, layout: 'CHW' };
  },
}));
export type HWC2CHW = InstanceType<typeof HWC2CHW>;

function gatherPlanes<Data extends PixelData>(source: Data, into: Data, channels: number): Data {
  const planeSize = source.length / channels;
  for (let channel = 0; channel < channels; channel++) {
    const plane = into.subarray(channel * planeSize, (channel + 1) * planeSize);
    for (let i = 0, from = channel; i < planeSize; i++, from += channels) plane[i] = source[from];
  }
  return into;
}
