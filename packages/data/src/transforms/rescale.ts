import { ValueError } from '@firelight/tensor';
import { describeValue } from '@firelight/tensor/extend';
import { checkImage, type Image } from '../core/image.ts';
import { defineTransform } from './transform.ts';

/**
 * `y = x · scale + shift`, as float32; `Rescale(1 / 255, 0)` takes bytes to [0, 1].
 *
 * @throws ValueError if `scale` or `shift` is not finite
 * @see MindSpore, `mindspore.dataset.vision.Rescale`
 */
export const Rescale = defineTransform('Rescale', (scale: number, shift: number) => {
  if (!Number.isFinite(scale) || !Number.isFinite(shift)) {
    throw new ValueError(
      `Rescale: scale and shift must be finite, got ${describeValue(scale)} and ${describeValue(shift)}`,
    );
  }
  return {
    isPointwise: true,
    scale,
    shift,
    apply(image: Image): Image {
      checkImage('Rescale', image);
      const source = image.data;
      const data = new Float32Array(source.length);
      for (let i = 0; i < data.length; i++) data[i] = source[i] * scale + shift;
      return { ...image, data };
    },
  };
});
export type Rescale = InstanceType<typeof Rescale>;
