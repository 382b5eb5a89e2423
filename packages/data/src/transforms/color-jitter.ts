import type { Generator } from '@firelight/tensor';
import { expectOptions } from '../core/check.ts';
import { checkColors, type Image } from '../core/image.ts';
import type { Recipe } from '../core/recipe.ts';
import { adjustBrightness, adjustContrast, adjustSaturation } from './color.ts';
import { adjustHue } from './hue.ts';
import { drawFrom, type Range, toRange } from './range.ts';
import type { Transform } from './transform.ts';

/** Each a number x for factors in [max(0, 1 − x), 1 + x], or [low, high]; 0 changes nothing. */
export interface ColorJitterOptions {
  readonly brightness?: number | Range;
  readonly contrast?: number | Range;
  readonly saturation?: number | Range;
  /** In turns of the whole circle: x ≤ 0.5 for [−x, x], or [low, high] within −0.5 to 0.5. */
  readonly hue?: number | Range;
}

const IDENTITY_FACTOR = 1;

/**
 * Changes brightness, contrast, saturation and hue of an `[H, W, 3]` image by uniformly random
 * amounts, in random order. Bytes come out as PIL gives them; floats must be within 0 to 1.
 *
 * Five draws an image, whatever the options.
 *
 * @see torchvision, `transforms.ColorJitter`; MindSpore, `RandomColorAdjust`
 */
export class ColorJitter implements Transform {
  readonly brightness: Range;
  readonly contrast: Range;
  readonly saturation: Range;
  readonly hue: Range;

  /** @throws ValueError for a range that is empty or reaches too far */
  constructor(options: ColorJitterOptions = {}) {
    const checked = expectOptions('ColorJitter', options);
    const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = checked;
    const factor = { centre: IDENTITY_FACTOR, least: 0, most: Infinity };
    this.brightness = toRange('ColorJitter: brightness', brightness, factor);
    this.contrast = toRange('ColorJitter: contrast', contrast, factor);
    this.saturation = toRange('ColorJitter: saturation', saturation, factor);
    const turn = { centre: 0, least: -0.5, most: 0.5 };
    this.hue = toRange('ColorJitter: hue', hue, turn);
  }

  /** @throws ShapeError if the image is not `[H, W, 3]` */
  apply(image: Image, generator: Generator): Image {
    checkColors('ColorJitter', image);
    const order = generator.permutation(4);
    const brightness = drawFrom(generator, this.brightness);
    const contrast = drawFrom(generator, this.contrast);
    const saturation = drawFrom(generator, this.saturation);
    const hue = drawFrom(generator, this.hue);
    const steps = [
      (current: Image) => (brightness === 1 ? current : adjustBrightness(current, brightness)),
      (current: Image) => (contrast === 1 ? current : adjustContrast(current, contrast)),
      (current: Image) => (saturation === 1 ? current : adjustSaturation(current, saturation)),
      (current: Image) => (hue === 0 ? current : adjustHue(current, hue)),
    ];
    let result = image;
    for (const step of order) result = steps[step](result);
    return result;
  }

  recipe(): Recipe {
    const { brightness, contrast, saturation, hue } = this;
    return { name: 'ColorJitter', args: [{ brightness, contrast, saturation, hue }] };
  }
}
