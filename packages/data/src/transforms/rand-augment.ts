import { type Generator, ShapeError, ValueError } from '@firelight/tensor';
import { checkColors, type Image } from '../image.ts';
import type { Recipe } from '../recipe.ts';
import {
  adjustBrightness,
  adjustContrast,
  adjustSaturation,
  adjustSharpness,
  lookUpBytes,
} from './color.ts';
import { autoContrastTable, equalizeTable } from './histogram.ts';
import type { Interpolation } from './resize.ts';
import type { Transform } from './transform.ts';
import { type AffineMap, rotationMap, warpAffine } from './warp-affine.ts';

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

interface Warping {
  readonly interpolation: Interpolation;
  readonly fill: number;
}

/** One operation at strength `level` (0 to 1); `sign` is −1 or 1. */
type Operation = (image: Image, level: number, sign: number, warping: Warping) => Image;

const warpBy =
  (mapOf: (image: Image, amount: number) => AffineMap): Operation =>
  (image, level, sign, warping) =>
    warpAffine(image, mapOf(image, sign * level), warping);

const enhanceBy =
  (adjust: (image: Image, factor: number) => Image): Operation =>
  (image, level, sign) =>
    adjust(image, 1 + sign * MOST_ENHANCED * level);

const MOST_SHEAR = 0.3;
const MOST_DEGREES = 30;
const MOST_ENHANCED = 0.9;
/** The paper shifts ImageNet's 331 pixels by at most 150. */
const MOST_SHIFT = 150 / 331;
const MOST_BITS_CUT = 4;

const ALL_BYTES = Array.from({ length: 256 }, (_, byte) => byte);

/** In the order and with the ranges of torchvision; signs and strengths are used where they apply. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  identity: (image) => image,
  shearX: warpBy((_, amount) => [1, MOST_SHEAR * amount, 0, 0, 1, 0]),
  shearY: warpBy((_, amount) => [1, 0, 0, MOST_SHEAR * amount, 1, 0]),
  translateX: warpBy(({ width }, amount) => [
    1,
    0,
    Math.trunc(MOST_SHIFT * width * amount),
    0,
    1,
    0,
  ]),
  translateY: warpBy(({ height }, amount) => [
    1,
    0,
    0,
    0,
    1,
    Math.trunc(MOST_SHIFT * height * amount),
  ]),
  rotate: warpBy((image, amount) => rotationMap(image, MOST_DEGREES * amount)),
  brightness: enhanceBy(adjustBrightness),
  color: enhanceBy(adjustSaturation),
  contrast: enhanceBy(adjustContrast),
  sharpness: enhanceBy(adjustSharpness),
  posterize(image, level) {
    const cut = Math.round(MOST_BITS_CUT * level);
    return lookUpBytes(image, () => ALL_BYTES.map((byte) => (byte >> cut) << cut));
  },
  solarize(image, level) {
    const threshold = 255 * (1 - level);
    return lookUpBytes(image, () =>
      ALL_BYTES.map((byte) => (byte < threshold ? byte : 255 - byte)),
    );
  },
  autoContrast: (image) => lookUpBytes(image, (channel) => autoContrastTable(image, channel)),
  equalize: (image) => lookUpBytes(image, (channel) => equalizeTable(image, channel)),
};

/**
 * Applies operations drawn from fourteen (identity, two shears, two shifts, rotation, brightness,
 * colour, contrast, sharpness, posterize, solarize, auto-contrast, equalize) at one strength, each
 * with a random sign. The image must be of bytes, `[H, W, 3]`. Two draws an operation.
 *
 * @see Cubuk et al., "RandAugment", arXiv:1909.13719; ranges as in torchvision's `RandAugment`
 */
export class RandAugment implements Transform {
  readonly operations: number;
  readonly magnitude: number;
  readonly bins: number;
  readonly interpolation: Interpolation;
  readonly fill: number;

  /** @throws ValueError unless operations ≥ 0, bins ≥ 2 and 0 ≤ magnitude < bins, all integers */
  constructor({
    operations = 2,
    magnitude = 9,
    bins = 31,
    interpolation = 'nearest',
    fill = 0,
  }: RandAugmentOptions = {}) {
    const isCount = (value: number, least: number, most: number): boolean =>
      Number.isInteger(value) && value >= least && value <= most;
    if (
      !isCount(operations, 0, Infinity) ||
      !isCount(bins, 2, Infinity) ||
      !isCount(magnitude, 0, bins - 1)
    ) {
      throw new ValueError(
        'RandAugment: operations must be an integer ≥ 0, bins ≥ 2 and magnitude from 0 to ' +
          `bins − 1, got ${operations}, ${bins} and ${magnitude}`,
      );
    }
    this.operations = operations;
    this.magnitude = magnitude;
    this.bins = bins;
    this.interpolation = interpolation;
    this.fill = fill;
  }

  /** @throws ShapeError if the image is not `[H, W, 3]` of bytes */
  apply(image: Image, generator: Generator): Image {
    checkColors('RandAugment', image);
    if (!(image.data instanceof Uint8Array)) {
      throw new ShapeError('RandAugment: the image must be of bytes; put it before Rescale');
    }
    const all = Object.values(OPERATIONS);
    const level = this.magnitude / (this.bins - 1);
    let result = image;
    for (let i = 0; i < this.operations; i++) {
      const operation = all[generator.integer(all.length)];
      const sign = generator.integer(2) === 0 ? 1 : -1;
      result = operation(result, level, sign, this);
    }
    return result;
  }

  recipe(): Recipe {
    const { operations, magnitude, bins, interpolation, fill } = this;
    return { name: 'RandAugment', args: [{ operations, magnitude, bins, interpolation, fill }] };
  }
}
