import { createHash } from 'node:crypto';
import type { Image } from '@firelight/data';
import { describe, expect, test } from 'vitest';
import {
  adjustBrightness,
  adjustContrast,
  adjustSaturation,
  adjustSharpness,
  lookUpBytes,
} from '../../../packages/data/src/transforms/color.ts';
import {
  autoContrastTable,
  equalizeTable,
} from '../../../packages/data/src/transforms/histogram.ts';
import { adjustHue } from '../../../packages/data/src/transforms/hue.ts';
import { OPERATIONS as RAND_AUGMENT } from '../../../packages/data/src/transforms/rand-augment-operations.ts';
import { rotationMap, warpAffine } from '../../../packages/data/src/transforms/warp-affine.ts';
import expected from '../../fixtures/augmentation/expected.json' with { type: 'json' };

/** The same pseudo-random bytes as test/fixtures/augmentation/make.py. */
function pseudoRandom(seed: number, height: number, width: number): Image {
  let state = BigInt(seed);
  const data = Uint8Array.from({ length: height * width * 3 }, () => {
    state = (state * 1103515245n + 12345n) % 2n ** 31n;
    return Number((state >> 16n) & 255n);
  });
  return { data, height, width, channels: 3, layout: 'HWC' };
}

const dim = (image: Image): Image => ({
  ...image,
  data: Uint8Array.from(image.data, (byte) => Math.floor(byte / 3) + 40),
});

/** An operation of RandAugment at strength |amount| with the sign of `amount`. */
const augment =
  (name: string) =>
  (image: Image, amount: number): Image => {
    const warping = { interpolation: 'nearest', fill: 9 } as const;
    return RAND_AUGMENT[name](image, Math.abs(amount), Math.sign(amount) || 1, warping);
  };

const OPERATIONS: Record<string, (image: Image, amount: number) => Image> = {
  'rotate nearest': (image, amount) =>
    warpAffine(image, rotationMap(image, amount), { interpolation: 'nearest', fill: 9 }),
  'rotate linear': (image, amount) =>
    warpAffine(image, rotationMap(image, amount), { interpolation: 'linear', fill: 9 }),
  brightness: adjustBrightness,
  contrast: adjustContrast,
  saturation: adjustSaturation,
  sharpness: adjustSharpness,
  hue: adjustHue,
  autoContrast(image) {
    const source = dim(image);
    return lookUpBytes(source, (channel) => autoContrastTable(source, channel));
  },
  shearX: augment('shearX'),
  shearY: augment('shearY'),
  translateX: augment('translateX'),
  translateY: augment('translateY'),
  posterize: augment('posterize'),
  solarize: augment('solarize'),
  equalize(image) {
    const source = dim(image);
    return lookUpBytes(source, (channel) => equalizeTable(source, channel));
  },
};

describe(`bytes come out as OpenCV ${expected.opencv} and PIL ${expected.pil} give them`, () => {
  test.each(Object.keys(OPERATIONS))('%s', (operation) => {
    const cases = expected.cases.filter((one) => one.operation === operation);
    expect(cases.length).toBeGreaterThanOrEqual(3);
    const wrong = cases.filter(({ seed, shape, amount, sha256 }) => {
      const image = pseudoRandom(seed, shape[0], shape[1]);
      const { data } = OPERATIONS[operation](image, amount);
      return createHash('sha256').update(data).digest('hex') !== sha256;
    });
    expect(wrong.map(({ shape, amount }) => ({ shape, amount }))).toEqual([]);
  });
});

test('RandAugment has the fourteen operations of the paper', () => {
  expect(Object.keys(RAND_AUGMENT)).toHaveLength(14);
  const image = pseudoRandom(1, 9, 9);
  const warping = { interpolation: 'nearest', fill: 0 } as const;
  // Solarize inverts 255 at any strength; the last two have none, and this image needs neither.
  const atZero = new Set(['solarize', 'autoContrast', 'equalize']);
  const atOne = new Set(['identity', 'autoContrast', 'equalize']);
  for (const [name, operation] of Object.entries(RAND_AUGMENT)) {
    if (!atZero.has(name)) expect(operation(image, 0, 1, warping)).toEqual(image);
    if (!atOne.has(name)) expect(operation(image, 1, 1, warping)).not.toEqual(image);
  }
});
