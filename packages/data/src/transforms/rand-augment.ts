import { type Generator, ShapeError } from '@firelight/tensor';
import { expectFinite, expectInteger, expectThat } from '@firelight/tensor/extend';
import { expectOptions } from '../core/check.ts';
import { checkColors, type Image } from '../core/image.ts';
import { checkInterpolation, type Interpolation } from './interpolation.ts';
import { OPERATIONS } from './rand-augment-operations.ts';
import { defineTransform } from './transform.ts';

/** How much `RandAugment` changes. */
export interface RandAugmentOptions {
  /** Operations applied one after the other; 2 by default. */
  readonly operations?: number;
  /** Strength of all of them, 0 to `bins − 1`; 9 by default. */
  readonly magnitude?: number;
  /** Number of strengths; 31 by default. */
  readonly bins?: number;
  /** Of rotations, shears and shifts; `'nearest'` by default. */
  readonly interpolation?: Interpolation;
  /** Value of pixels from outside of the image; 0 by default. */
  readonly fill?: number;
}

/**
 * Applies operations drawn from fourteen (identity, two shears, two shifts, rotation, brightness,
 * colour, contrast, sharpness, posterize, solarize, auto-contrast, equalize) at one strength, each
 * with a random sign. The image must be of bytes, `[H, W, 3]`. Two draws an operation.
 *
 * @throws ValueError unless operations ≥ 0, bins ≥ 2 and 0 ≤ magnitude < bins, all integers, or for
 *   an unknown interpolation
 * @see Cubuk et al., "RandAugment", arXiv:1909.13719; ranges as in torchvision's `RandAugment`
 */
export const RandAugment = defineTransform('RandAugment', (options: RandAugmentOptions = {}) => {
  const {
    operations = 2,
    magnitude = 9,
    bins = 31,
    interpolation = 'nearest',
    fill = 0,
  } = expectOptions('RandAugment', options);
  expectInteger('RandAugment', 'operations', operations, 0);
  expectInteger('RandAugment', 'bins', bins, 2);
  expectInteger('RandAugment', 'magnitude', magnitude, 0);
  const isStrength = magnitude < bins;
  expectThat(isStrength, 'RandAugment', 'magnitude', `below bins, ${bins}`, magnitude);
  checkInterpolation('RandAugment', interpolation);
  expectFinite('RandAugment', 'fill', fill);
  return {
    operations,
    magnitude,
    bins,
    interpolation,
    fill,
    /** @throws ShapeError if the image is not `[H, W, 3]` of bytes */
    apply(image: Image, generator: Generator): Image {
      checkColors('RandAugment', image);
      if (!(image.data instanceof Uint8Array)) {
        throw new ShapeError('RandAugment: the image must be of bytes; put it before Rescale');
      }
      const all = Object.values(OPERATIONS);
      const level = magnitude / (bins - 1);
      let result = image;
      for (let i = 0; i < operations; i++) {
        const operation = all[generator.integer(all.length)];
        const sign = generator.integer(2) === 0 ? 1 : -1;
        result = operation(result, level, sign, { interpolation, fill });
      }
      return result;
    },
  };
});
export type RandAugment = InstanceType<typeof RandAugment>;
