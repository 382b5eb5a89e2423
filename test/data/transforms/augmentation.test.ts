import { HWC2CHW, type Image, RandomCrop, RandomHorizontalFlip } from '@firelight/data';
import { Generator, ShapeError } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** Images whose elements are all different, as bytes or floats, in either layout. */
const images = fc
  .record({
    height: fc.integer({ min: 1, max: 6 }),
    width: fc.integer({ min: 1, max: 6 }),
    isFloat: fc.boolean(),
    isPlanar: fc.boolean(),
  })
  .map(({ height, width, isFloat, isPlanar }): Image => {
    const values = Array.from({ length: height * width * 3 }, (_, i) => i + 1);
    const data = isFloat ? Float32Array.from(values) : Uint8Array.from(values);
    const image: Image = { data, height, width, channels: 3, layout: 'HWC' };
    return isPlanar ? new HWC2CHW().apply(image) : image;
  });

/** Element of pixel (y, x) in channel c; 0 outside. */
function at({ data, height, width, channels, layout }: Image, y: number, x: number, c: number) {
  if (y < 0 || x < 0 || y >= height || x >= width) return 0;
  return data[layout === 'HWC' ? (y * width + x) * channels + c : (c * height + y) * width + x];
}

describe('RandomHorizontalFlip', () => {
  test('mirrors, always or never, and twice is the identity', () =>
    fc.assert(
      fc.property(images, fc.nat(), (image, seed) => {
        const before = image.data.slice();
        const flip = new RandomHorizontalFlip(1);
        const once = flip.apply(image, new Generator(seed));
        for (let y = 0; y < image.height; y++) {
          for (let x = 0; x < image.width; x++) {
            for (let c = 0; c < 3; c++) {
              expect(at(once, y, x, c)).toBe(at(image, y, image.width - 1 - x, c));
            }
          }
        }
        expect(flip.apply(once, new Generator(seed))).toEqual(image);
        expect(new RandomHorizontalFlip(0).apply(image, new Generator(seed))).toBe(image);
        expect(image.data).toEqual(before);
      }),
    ));

  test('mirrors about as often as told', () => {
    const generator = new Generator(1);
    const image: Image = {
      data: Uint8Array.of(1, 2),
      height: 1,
      width: 2,
      channels: 1,
      layout: 'HWC',
    };
    let mirrored = 0;
    for (let i = 0; i < 2000; i++) {
      if (new RandomHorizontalFlip(0.25).apply(image, generator).data[0] === 2) mirrored++;
    }
    expect(Math.abs(mirrored / 2000 - 0.25)).toBeLessThan(0.04);
    expect(() => new RandomHorizontalFlip(1.5)).toThrow(
      /probability must be in \[0, 1\], got 1\.5/,
    );
  });
});

describe('RandomCrop', () => {
  test('is a window of the padded image, the same for the same seed', () =>
    fc.assert(
      fc.property(
        images,
        fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 }), fc.nat({ max: 3 }), fc.nat({ max: 3 })),
        fc.nat(),
        fc.nat(),
        (image, padding, size, seed) => {
          const [top, bottom, left, right] = padding;
          const height = 1 + (size % (image.height + top + bottom));
          const width = 1 + ((size >> 8) % (image.width + left + right));
          const before = image.data.slice();
          const crop = new RandomCrop([height, width], { padding });
          const cropped = crop.apply(image, new Generator(seed));
          expect(cropped).toMatchObject({ height, width, channels: 3, layout: image.layout });
          const isWindowAt = (y0: number, x0: number): boolean => {
            for (let y = 0; y < height; y++) {
              for (let x = 0; x < width; x++) {
                for (let c = 0; c < 3; c++) {
                  if (at(cropped, y, x, c) !== at(image, y + y0, x + x0, c)) return false;
                }
              }
            }
            return true;
          };
          const places: [number, number][] = [];
          for (let y = -top; y <= image.height + bottom - height; y++) {
            for (let x = -left; x <= image.width + right - width; x++) places.push([y, x]);
          }
          expect(places.some(([y, x]) => isWindowAt(y, x))).toBe(true);
          expect(crop.apply(image, new Generator(seed))).toEqual(cropped);
          expect(image.data).toEqual(before);
        },
      ),
    ));

  test('of the whole image changes nothing, and all places are taken equally often', () => {
    const data = Uint8Array.from({ length: 9 }, (_, i) => i);
    const image: Image = { data, height: 3, width: 3, channels: 1, layout: 'HWC' };
    const generator = new Generator(2);
    expect(new RandomCrop(3).apply(image, generator)).toEqual(image);
    const counts = new Array(9).fill(0);
    for (let i = 0; i < 9000; i++) counts[new RandomCrop(1).apply(image, generator).data[0]]++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test('fills the border as told', () => {
    const image: Image = {
      data: Uint8Array.of(9),
      height: 1,
      width: 1,
      channels: 1,
      layout: 'CHW',
    };
    const options = { padding: [1, 0, 0, 0], fill: 7 } as const;
    expect(new RandomCrop([2, 1], options).apply(image, new Generator(0)).data).toEqual(
      Uint8Array.of(7, 9),
    );
  });

  test('refuses sizes that do not fit', () => {
    const image: Image = {
      data: Uint8Array.of(9),
      height: 1,
      width: 1,
      channels: 1,
      layout: 'HWC',
    };
    expect(() => new RandomCrop(0)).toThrow(
      /size must be an integer ≥ 1 or two of them, got \[0, 0\]/,
    );
    expect(() => new RandomCrop(1, { padding: -1 })).toThrow(/padding must be integers ≥ 0/);
    expect(() => new RandomCrop(4, { padding: [1, 1] }).apply(image, new Generator(0))).toThrow(
      /window of 4 × 4 does not fit into the image \[1, 1, 1\] as HWC with padding \[1, 1, 1, 1\]/,
    );
    expect(() => new RandomCrop(2).apply(image, new Generator(0))).toThrow(ShapeError);
  });
});
