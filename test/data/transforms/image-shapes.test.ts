import {
  CenterCrop,
  ColorJitter,
  Compose,
  Cutout,
  HWC2CHW,
  type Image,
  Normalize,
  RandAugment,
  RandomCrop,
  RandomHorizontalFlip,
  RandomResizedCrop,
  RandomRotation,
  Rescale,
  Resize,
  type Transform,
} from '@firelight/data';
import { Generator, ShapeError } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

// Images of other shapes than CIFAR's: one row, one column, one pixel, 1 to 6 channels, floats.

interface Shape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly isFloat: boolean;
  readonly seed: number;
}

const side = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 14 }));
const shapes: fc.Arbitrary<Shape> = fc.record({
  height: side,
  width: side,
  channels: fc.integer({ min: 1, max: 6 }),
  isFloat: fc.boolean(),
  seed: fc.nat(),
});

function imageOf({ height, width, channels, isFloat, seed }: Shape): Image {
  const words = new Generator(seed).words(height * width * channels);
  const bytes = Uint8Array.from(words, (word) => word & 255);
  const data = isFloat ? Float32Array.from(bytes, (byte) => byte / 255) : bytes;
  return { data, height, width, channels, layout: 'HWC' };
}

/** One channel as an image of its own. */
function channelOf(image: Image, channel: number): Image {
  const data = image.data.filter((_, at) => at % image.channels === channel);
  return { ...image, data, channels: 1 };
}

const sizeOf = ({ height, width }: Image): [number, number] => [height, width];

/** Steps that treat every channel alike, and the sides that they make of an image's. */
const steps: readonly [string, Transform, (image: Image) => [number, number]][] = [
  // 7 × 5 is half of no other size here with both sides even, where roundings differ by channels.
  ['Resize', new Resize([7, 5]), () => [7, 5]],
  ['Resize, nearest', new Resize([6, 4], { interpolation: 'nearest' }), () => [6, 4]],
  ['CenterCrop', new CenterCrop([8, 3]), () => [8, 3]],
  ['CenterCrop of all sides larger', new CenterCrop(20), () => [20, 20]],
  ['RandomCrop', new RandomCrop([9, 5], { padding: [8, 0, 2, 2], fill: 1 }), () => [9, 5]],
  ['RandomHorizontalFlip', new RandomHorizontalFlip(0.5), sizeOf],
  ['RandomRotation', new RandomRotation(180), sizeOf],
  ['RandomRotation, linear', new RandomRotation(90, { interpolation: 'linear' }), sizeOf],
  ['RandomResizedCrop', new RandomResizedCrop([3, 11]), () => [3, 11]],
  ['Cutout', new Cutout(3, { holes: 2 }), sizeOf],
  ['Rescale', new Rescale(2, 1), sizeOf],
];

test.each(steps)('%s makes of each channel what it makes of it alone', (_, step, sides) => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const image = imageOf(shape);
      fc.pre(image.height !== 14 || image.width !== 10);
      const before = image.data.slice();
      const result = step.apply(image, new Generator(shape.seed));
      expect(image.data).toEqual(before);
      const [height, width] = sides(image);
      expect(result).toMatchObject({ height, width, channels: image.channels, layout: 'HWC' });
      expect(result.data).toHaveLength(height * width * image.channels);
      for (let channel = 0; channel < image.channels; channel++) {
        const alone = step.apply(channelOf(image, channel), new Generator(shape.seed));
        expect(channelOf(result, channel)).toEqual(alone);
      }
    }),
  );
});

test('Normalize and HWC2CHW put each channel into its plane', () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const { channels } = shape;
      const mean = Array.from({ length: channels }, (_, channel) => channel);
      const std = mean.map((value) => value + 0.5);
      const both = new Compose([new Normalize({ mean, std }), new HWC2CHW()]);
      const image = imageOf(shape);
      const plane = shape.height * shape.width;
      for (const { data, layout } of [
        both.apply(image, new Generator(0)),
        both.apply(image, new Generator(0)),
      ]) {
        expect(layout).toBe('CHW');
        for (const [at, value] of data.entries()) {
          const channel = Math.floor(at / plane);
          const source = image.data[(at % plane) * channels + channel];
          expect(value).toBe(Math.fround((source - mean[channel]) / std[channel]));
        }
      }
    }),
  );
});

describe('steps of colours', () => {
  const jitter = new ColorJitter({ brightness: 0.5, contrast: 0.5, saturation: 0.5, hue: 0.5 });

  test('take images of any sides, and keep floats within 0 to 1', () => {
    fc.assert(
      fc.property(shapes, ({ seed, ...shape }) => {
        const image = imageOf({ ...shape, seed, channels: 3 });
        const result = jitter.apply(image, new Generator(seed));
        expect(result).toMatchObject({ height: image.height, width: image.width, channels: 3 });
        expect(result.data.constructor).toBe(image.data.constructor);
        const most = shape.isFloat ? 1.0001 : 255;
        expect(result.data.every((value) => value >= -0.0001 && value <= most)).toBe(true);
        const bytes = imageOf({ ...shape, seed, channels: 3, isFloat: false });
        expect(new RandAugment().apply(bytes, new Generator(seed)).data).toHaveLength(
          bytes.data.length,
        );
      }),
    );
  });

  test('refuse images of other than three channels', () => {
    for (const channels of [1, 2, 4]) {
      const image = imageOf({ height: 2, width: 5, channels, isFloat: false, seed: 1 });
      for (const step of [jitter, new RandAugment()]) {
        expect(() => step.apply(image, new Generator(0))).toThrow(ShapeError);
        expect(() => step.apply(image, new Generator(0))).toThrow(
          new RegExp(`must have 3 channels, got \\[2, 5, ${channels}\\] as HWC`),
        );
      }
    }
  });
});

test('a window larger than the image with its padding is refused', () => {
  const image = imageOf({ height: 4, width: 1, channels: 1, isFloat: false, seed: 1 });
  const crop = new RandomCrop([4, 4], { padding: 1 });
  expect(() => crop.apply(image, new Generator(0))).toThrow(ShapeError);
  expect(() => crop.apply(image, new Generator(0))).toThrow(
    /a window of 4 × 4 does not fit into the image \[4, 1, 1\] as HWC with padding \[1, 1, 1, 1\]/,
  );
});
