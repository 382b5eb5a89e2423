import type { Image } from '../core/image.ts';
import {
  adjustBrightness,
  adjustContrast,
  adjustSaturation,
  adjustSharpness,
  lookUpBytes,
} from './color.ts';
import { autoContrastTable, equalizeTable } from './histogram.ts';
import type { Interpolation } from './interpolation.ts';
import { type AffineMap, rotationMap, warpAffine } from './warp-affine.ts';

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

/** The fourteen operations, in the order and with the ranges of torchvision; signs and strengths are used where they apply. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
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
