import type { Generator } from '@firelight/tensor';
import { expectFinite } from '@firelight/tensor/extend';
import { expectOptions } from '../core/check.ts';
import { checkInterleaved, type Image } from '../core/image.ts';
import { checkInterpolation, type Interpolation } from './interpolation.ts';
import { drawFrom, type Interval, toInterval } from './interval.ts';
import { defineTransform } from './transform.ts';
import { rotationMap, warpAffine } from './warp-affine.ts';

/** How `RandomRotation` fills the turned image. */
export interface RandomRotationOptions {
  /** Default `'nearest'`. */
  readonly interpolation?: Interpolation;
  /** Value of pixels that come from outside of the image; 0 by default. */
  readonly fill?: number;
}

/**
 * Turns an `[H, W, C]` image around its middle by a uniformly random angle; its size stays. Bytes
 * come out as OpenCV's `warpAffine` gives them. One draw an image.
 *
 * @param degrees counter-clockwise: `[low, high]`, or one number d for [−d, d]
 * @throws ValueError unless −360 ≤ low ≤ high ≤ 360, or for an unknown interpolation
 * @see MindSpore, `mindspore.dataset.vision.RandomRotation`
 */
export const RandomRotation = defineTransform(
  'RandomRotation',
  (degrees: number | Interval, options: RandomRotationOptions = {}) => {
    const { interpolation = 'nearest', fill = 0 } = expectOptions('RandomRotation', options);
    const range = toInterval('RandomRotation: degrees', degrees, {
      centre: 0,
      least: -360,
      most: 360,
    });
    checkInterpolation('RandomRotation', interpolation);
    expectFinite('RandomRotation', 'fill', fill);
    return {
      degrees: range,
      interpolation,
      fill,
      /** @throws ShapeError if the image is not `[H, W, C]` */
      apply(image: Image, generator: Generator): Image {
        checkInterleaved('RandomRotation', image);
        const angle = drawFrom(generator, range);
        if (angle === 0) return image;
        return warpAffine(image, rotationMap(image, angle), { interpolation, fill });
      },
    };
  },
);
export type RandomRotation = InstanceType<typeof RandomRotation>;
