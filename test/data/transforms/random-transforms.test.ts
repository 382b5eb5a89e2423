import {
  CenterCrop,
  ColorJitter,
  Cutout,
  type Image,
  RandAugment,
  RandomCrop,
  RandomHorizontalFlip,
  RandomResizedCrop,
  RandomRotation,
  type Transform,
} from '@firelight/data';
import { Generator, ShapeError, ValueError } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

interface ImageOptions {
  readonly floats?: boolean;
}

/** Random images of three channels: bytes, or floats within 0 to 1. */
const images = ({ floats = false }: ImageOptions = {}): fc.Arbitrary<Image> =>
  fc
    .record({
      height: fc.integer({ min: 1, max: 12 }),
      width: fc.integer({ min: 1, max: 12 }),
      seed: fc.nat(),
    })
    .map(({ height, width, seed }) => {
      const words = new Generator(seed).words(height * width * 3);
      const data = floats
        ? Float32Array.from(words, (word) => (word & 255) / 255)
        : Uint8Array.from(words, (word) => word & 255);
      return { data, height, width, channels: 3, layout: 'HWC' };
    });

/** All random transforms with the shape that they give. */
const TRANSFORMS: [name: string, transform: Transform, shape: 'same' | [number, number]][] = [
  ['RandomCrop', new RandomCrop(5, { padding: 4 }), [5, 5]],
  ['RandomHorizontalFlip', new RandomHorizontalFlip(), 'same'],
  ['RandomRotation', new RandomRotation(40), 'same'],
  ['RandomRotation linear', new RandomRotation([10, 90], { interpolation: 'linear' }), 'same'],
  ['RandomResizedCrop', new RandomResizedCrop([7, 5]), [7, 5]],
  [
    'ColorJitter',
    new ColorJitter({ brightness: 0.8, contrast: 2, saturation: 3, hue: 0.5 }),
    'same',
  ],
  ['Cutout', new Cutout(5, { holes: 2 }), 'same'],
  ['CenterCrop', new CenterCrop([4, 9]), [4, 9]],
];

describe.each(TRANSFORMS)('%s', (_, transform, shape) => {
  test('keeps shape, kind and range, changes no argument, and gives the same for the same seed', () => {
    const both = fc.oneof(images(), images({ floats: true }));
    fc.assert(
      fc.property(both, fc.nat(), (image, seed) => {
        const before = image.data.slice();
        const result = transform.apply(image, new Generator(seed));
        expect(image.data).toEqual(before);
        expect(transform.apply(image, new Generator(seed))).toEqual(result);
        const [height, width] = shape === 'same' ? [image.height, image.width] : shape;
        expect([result.height, result.width, result.channels]).toEqual([height, width, 3]);
        expect(result.data).toHaveLength(height * width * 3);
        expect(result.data.constructor).toBe(image.data.constructor);
        const most = image.data instanceof Uint8Array ? 255 : 1 + 1e-6;
        expect(result.data.every((value) => value >= 0 && value <= most)).toBe(true);
      }),
    );
  });
});

test('RandAugment keeps shape and kind, whatever it draws, and goes through all its operations', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(images(), fc.nat(), fc.integer({ min: 0, max: 30 }), (image, seed, magnitude) => {
      const augment = new RandAugment({ operations: 3, magnitude });
      const before = image.data.slice();
      const result = augment.apply(image, new Generator(seed));
      expect(image.data).toEqual(before);
      expect(augment.apply(image, new Generator(seed))).toEqual(result);
      expect([result.height, result.width]).toEqual([image.height, image.width]);
      expect(result.data).toBeInstanceOf(Uint8Array);
      seen.add(result.data.join());
    }),
    { numRuns: 300 },
  );
  expect(seen.size).toBeGreaterThan(200);
  const image: Image = {
    data: new Float32Array(3),
    height: 1,
    width: 1,
    channels: 3,
    layout: 'HWC',
  };
  expect(() => new RandAugment().apply(image, new Generator(0))).toThrow(/put it before Rescale/);
  expect(() => new RandAugment({ magnitude: 31 })).toThrow(
    /RandAugment: magnitude must be below bins, 31, got 31/,
  );
  expect(() => new RandAugment({ interpolation: 'cubic' as never })).toThrow(
    /RandAugment: interpolation must be 'linear' or 'nearest', got 'cubic'/,
  );
});

test('settings that say so change nothing', () => {
  fc.assert(
    fc.property(fc.oneof(images(), images({ floats: true })), fc.nat(), (image, seed) => {
      const { height, width } = image;
      const whole = { scale: [1, 1], ratio: [width / height, width / height] } as const;
      for (const transform of [
        new CenterCrop([height, width]),
        new RandomRotation(0),
        new RandomRotation([360, 360]),
        new RandomResizedCrop([height, width], whole),
        new ColorJitter(),
        new ColorJitter({ brightness: [1, 1], contrast: [1, 1], saturation: [1, 1], hue: [0, 0] }),
        new Cutout(0),
        new Cutout(9, { holes: 0 }),
        new RandomHorizontalFlip(0),
      ]) {
        expect(transform.apply(image, new Generator(seed))).toEqual(image);
      }
      if (image.data instanceof Uint8Array) {
        expect(new RandAugment({ operations: 0 }).apply(image, new Generator(seed))).toEqual(image);
      }
      const flip = new RandomHorizontalFlip(1);
      const generator = new Generator(seed);
      expect(flip.apply(flip.apply(image, generator), generator)).toEqual(image);
    }),
  );
});

const numbers = (height: number, width: number): Image => ({
  data: Uint8Array.from({ length: height * width }, (_, i) => i),
  height,
  width,
  channels: 1,
  layout: 'HWC',
});

test('CenterCrop takes the middle, with zeros around small images', () => {
  const crop = (size: [number, number]) => [...new CenterCrop(size).apply(numbers(3, 4)).data];
  expect(crop([1, 2])).toEqual([5, 6]);
  expect(crop([2, 1])).toEqual([1, 5]);
  expect(crop([5, 1])).toEqual([0, 1, 5, 9, 0]);
  expect(() => new CenterCrop(0)).toThrow(ValueError);
});

test('RandomRotation by a quarter turns counter-clockwise', () => {
  const turned = new RandomRotation([90, 90]).apply(numbers(2, 2), new Generator(0));
  expect([...turned.data]).toEqual([1, 3, 0, 2]);
  expect(() => new RandomRotation([20, 10])).toThrow(
    /degrees must be a number ≥ 0 or \[low, high\] within -360 to 360, got \[20, 10\]/,
  );
  expect(() => new RandomRotation(-1)).toThrow(ValueError);
  const planes: Image = { ...numbers(2, 2), layout: 'CHW' };
  expect(() => new RandomRotation(1).apply(planes, new Generator(0))).toThrow(
    /RandomRotation: the image must be \[H, W, C\], got \[1, 2, 2\] as CHW; put RandomRotation before/,
  );
});

test('RandomResizedCrop takes windows of the areas and ratios that it was told', () => {
  // A pixel holds its place, so that the corners of the result tell the window.
  const side = 16;
  const image = numbers(side, side);
  const crop = new RandomResizedCrop([2, 2], { scale: [0.25, 0.25], ratio: [1, 1] });
  for (let seed = 0; seed < 20; seed++) {
    const { data } = new RandomResizedCrop([8, 8], {
      scale: [0.25, 0.25],
      ratio: [1, 1],
      interpolation: 'nearest',
    }).apply(image, new Generator(seed));
    expect([data[7] - data[0], data[56] - data[0]]).toEqual([7, 7 * side]);
  }
  expect(crop.apply(image, new Generator(0)).data).toHaveLength(4);
  // No window of this ratio fits, so the middle is taken.
  const wide = new RandomResizedCrop([1, 4], {
    scale: [1, 1],
    ratio: [4, 4],
    interpolation: 'nearest',
  });
  expect([...wide.apply(numbers(4, 4), new Generator(0)).data]).toEqual([4, 5, 6, 7]);
  expect(() => new RandomResizedCrop(4, { scale: [0, 1] })).toThrow(ValueError);
});

test('Cutout covers one square in either layout, and cuts it off at the edges', () => {
  const covered = new Set<number>();
  for (let seed = 0; seed < 100; seed++) {
    const white = new Uint8Array(2 * 6 * 8).fill(255);
    const image: Image = { data: white, height: 6, width: 8, channels: 2, layout: 'HWC' };
    const inPixels = new Cutout(3).apply(image, new Generator(seed)).data;
    const inPlanes = new Cutout(3).apply({ ...image, layout: 'CHW' }, new Generator(seed)).data;
    const holes = (first: number, step: number, data: Image['data']) =>
      Array.from({ length: 48 }, (_, i) => i).filter((i) => data[first + i * step] === 0);
    const hole = holes(0, 2, inPixels);
    for (const other of [holes(1, 2, inPixels), holes(0, 1, inPlanes), holes(48, 1, inPlanes)]) {
      expect(other).toEqual(hole);
    }
    covered.add(hole.length);
    const rows = new Set(hole.map((i) => Math.floor(i / 8)));
    const columns = new Set(hole.map((i) => i % 8));
    expect(hole.length).toBe(rows.size * columns.size);
  }
  expect([...covered].sort((a, b) => a - b)).toEqual([4, 6, 9]);
  expect(() => new Cutout(1.5)).toThrow(ValueError);
});

describe('ColorJitter', () => {
  const pixel = (...values: number[]): Image => ({
    data: Float32Array.from(values),
    height: 1,
    width: 1,
    channels: 3,
    layout: 'HWC',
  });

  test('of floats gives known values', () => {
    const apply = (transform: ColorJitter, image: Image) =>
      Array.from(transform.apply(image, new Generator(0)).data, (value) => +value.toFixed(5));
    expect(apply(new ColorJitter({ brightness: [2, 2] }), pixel(0.1, 0.4, 0.7))).toEqual([
      0.2, 0.8, 1,
    ]);
    expect(apply(new ColorJitter({ hue: [1 / 3, 1 / 3] }), pixel(0.9, 0.5, 0.1))).toEqual([
      0.1, 0.9, 0.5,
    ]);
    expect(apply(new ColorJitter({ saturation: [0, 0] }), pixel(1, 0, 0))).toEqual([
      0.2989, 0.2989, 0.2989,
    ]);
    expect(apply(new ColorJitter({ contrast: [0, 0] }), pixel(0, 1, 0))).toEqual([
      0.587, 0.587, 0.587,
    ]);
  });

  test('of floats turns the hue around and back', () => {
    fc.assert(
      fc.property(
        images({ floats: true }),
        fc.double({ min: -0.5, max: 0.5, noNaN: true }),
        (image, turn) => {
          const there = new ColorJitter({ hue: [turn, turn] }).apply(image, new Generator(0));
          const back = new ColorJitter({ hue: [-turn, -turn] }).apply(there, new Generator(0));
          for (const [i, value] of image.data.entries()) expect(back.data[i]).toBeCloseTo(value, 5);
        },
      ),
    );
  });

  test('refuses what it cannot do', () => {
    expect(() => new ColorJitter({ hue: 0.6 })).toThrow(
      /hue must be .* within -0.5 to 0.5, got 0.6/,
    );
    expect(() => new ColorJitter({ contrast: [-1, 1] })).toThrow(ValueError);
    expect(() => new ColorJitter().apply(numbers(1, 1), new Generator(0))).toThrow(ShapeError);
  });
});
