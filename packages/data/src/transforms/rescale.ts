import { describeValue, ValueError } from '@firelight/tensor';
import { checkImage, type Image } from '../core/image.ts';
import type { Recipe } from '../core/recipe.ts';
import type { Transform } from './transform.ts';

/**
 * `y = x · scale + shift`, as float32; `Rescale(1 / 255, 0)` takes bytes to [0, 1].
 *
 * @see MindSpore, `mindspore.dataset.vision.Rescale`
 */
export class Rescale implements Transform {
  readonly isPointwise = true;
  readonly scale: number;
  readonly shift: number;

  /** @throws ValueError if `scale` or `shift` is not finite */
  constructor(scale: number, shift: number) {
    if (!Number.isFinite(scale) || !Number.isFinite(shift)) {
      throw new ValueError(
        `Rescale: scale and shift must be finite, got ${describeValue(scale)} and ${describeValue(shift)}`,
      );
    }
    this.scale = scale;
    this.shift = shift;
  }

  apply(image: Image): Image {
    checkImage('Rescale', image);
    const { scale, shift } = this;
    const source = image.data;
    const data = new Float32Array(source.length);
    for (let i = 0; i < data.length; i++) data[i] = source[i] * scale + shift;
    return { ...image, data };
  }

  recipe(): Recipe {
    return { name: 'Rescale', args: [this.scale, this.shift] };
  }
}
