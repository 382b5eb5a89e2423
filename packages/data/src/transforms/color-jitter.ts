import type { Generator } from '@firelight/tensor';
import { expectOptions } from '../core/check.ts';
import { checkColors, type Image } from '../core/image.ts';
import { adjustBrightness, adjustContrast, adjustSaturation } from './color.ts';
import { adjustHue } from './hue.ts';
import { drawFrom, type Interval, toInterval } from './interval.ts';
import { defineTransform } from './transform.ts';

/** Each a number x for factors in [max(0, 1 − x), 1 + x], or [low, high]; 0 changes nothing. */
export interface ColorJitterOptions {
  readonly brightness?: number | Interval;
  readonly contrast?: number | Interval;
  readonly saturation?: number | Interval;
  /** In turns of the whole circle: x ≤ 0.5 for [−x, x], or [low, high] within −0.5 to 0.5. */
  readonly hue?: number | Interval;
}

const IDENTITY_FACTOR = 1;

/**
 * Changes brightness, contrast, saturation and hue of an `[H, W, 3]` image by uniformly random
 * amounts, in random order. Bytes come out as PIL gives them; floats must be within 0 to 1.
 *
 * Five draws an image, whatever the options.
 *
 * @throws ValueError for a range that is empty or reaches too far
 * @see torchvision, `transforms.ColorJitter`; MindSpore, `RandomColorAdjust`
 */
export const ColorJitter = defineTransform('ColorJitter', (options: ColorJitterOptions = {}) => {
  const checked = expectOptions('ColorJitter', options);
  const factor = { centre: IDENTITY_FACTOR, least: 0, most: Infinity };
  const turn = { centre: 0, least: -0.5, most: 0.5 };
  const brightness = toInterval('ColorJitter: brightness', checked.brightness ?? 0, factor);
  const contrast = toInterval('ColorJitter: contrast', checked.contrast ?? 0, factor);
  const saturation = toInterval('ColorJitter: saturation', checked.saturation ?? 0, factor);
  const hue = toInterval('ColorJitter: hue', checked.hue ?? 0, turn);
  return {
    brightness,
    contrast,
    saturation,
    hue,
    /** @throws ShapeError if the image is not `[H, W, 3]` */
    apply(image: Image, generator: Generator): Image {
      checkColors('ColorJitter', image);
      const order = generator.permutation(4);
      const byBrightness = drawFrom(generator, brightness);
      const byContrast = drawFrom(generator, contrast);
      const bySaturation = drawFrom(generator, saturation);
      const byHue = drawFrom(generator, hue);
      const steps = [
        (now: Image) => (byBrightness === 1 ? now : adjustBrightness(now, byBrightness)),
        (now: Image) => (byContrast === 1 ? now : adjustContrast(now, byContrast)),
        (now: Image) => (bySaturation === 1 ? now : adjustSaturation(now, bySaturation)),
        (now: Image) => (byHue === 0 ? now : adjustHue(now, byHue)),
      ];
      let result = image;
      for (const step of order) result = steps[step](result);
      return result;
    },
  };
});
export type ColorJitter = InstanceType<typeof ColorJitter>;
