import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  Compose,
  HWC2CHW,
  type Image,
  type Interpolation,
  Normalize,
  Rescale,
  Resize,
} from '@firelight/data';
import { Generator, ShapeError, ValueError } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

interface OpenCvCase {
  readonly seed: number;
  readonly input: [number, number, number];
  readonly output: [number, number];
  readonly interpolation: Interpolation;
  readonly sha256: string;
}

const fixture = new URL('../../fixtures/opencv-resize/expected.json', import.meta.url);
const { opencv, cases } = JSON.parse(readFileSync(fixture, 'utf8')) as {
  opencv: string;
  cases: OpenCvCase[];
};

const hwc = (data: Image['data'], height: number, width: number, channels: number): Image => ({
  data,
  height,
  width,
  channels,
  layout: 'HWC',
});

/** The pseudo-random image of make.py. */
function imageOf({ seed, input: [height, width, channels] }: OpenCvCase): Image {
  let state = BigInt(seed);
  const data = Uint8Array.from({ length: height * width * channels }, () => {
    state = (state * 1103515245n + 12345n) % 2147483648n;
    return Number((state >> 16n) & 255n);
  });
  return hwc(data, height, width, channels);
}

const resize = (image: Image, size: [number, number], interpolation: Interpolation): Image =>
  new Resize(size, { interpolation }).apply(image);

describe(`Resize of bytes equals OpenCV ${opencv}`, () => {
  test.each(cases)('$input → $output $interpolation', (testCase) => {
    const { data, height, width } = resize(
      imageOf(testCase),
      testCase.output,
      testCase.interpolation,
    );
    expect([height, width]).toEqual(testCase.output);
    expect(createHash('sha256').update(data).digest('hex')).toBe(testCase.sha256);
  });
});

describe('Resize', () => {
  test('of the row 0, 10, 20, 30 gives the known values', () => {
    const row = [0, 10, 20, 30];
    const bytes = resize(hwc(Uint8Array.from(row), 1, 4, 1), [1, 8], 'linear').data;
    expect([...bytes]).toEqual([0, 3, 8, 13, 18, 23, 28, 30]);
    const floats = resize(hwc(Float32Array.from(row), 1, 4, 1), [1, 8], 'linear').data;
    expect([...floats]).toEqual([0, 2.5, 7.5, 12.5, 17.5, 22.5, 27.5, 30]);
  });

  test('to the same size changes nothing, and stays within the range otherwise', () => {
    const sizes = fc.integer({ min: 1, max: 20 });
    const arbitrary = fc.record({ height: sizes, width: sizes, to: fc.tuple(sizes, sizes) });
    fc.assert(
      fc.property(arbitrary, fc.nat(), fc.boolean(), ({ height, width, to }, seed, isBytes) => {
        const words = new Generator(seed).words(height * width * 3);
        const bytes = Uint8Array.from(words, (word) => word & 255);
        const data = isBytes ? bytes : Float32Array.from(bytes);
        const image = hwc(data, height, width, 3);
        for (const interpolation of ['linear', 'nearest'] as const) {
          expect(resize(image, [height, width], interpolation).data).toEqual(data);
          const result = resize(image, to, interpolation);
          expect(result.data).toHaveLength(to[0] * to[1] * 3);
          expect(Math.max(...result.data)).toBeLessThanOrEqual(Math.max(...data));
          expect(Math.min(...result.data)).toBeGreaterThanOrEqual(Math.min(...data));
        }
      }),
      { numRuns: 50 },
    );
  });

  test('by one number sets the shorter side', () => {
    const sidesOf = (height: number, width: number, size: number) => {
      const result = new Resize(size).apply(hwc(new Uint8Array(height * width), height, width, 1));
      return [result.height, result.width];
    };
    expect(sidesOf(10, 20, 5)).toEqual([5, 10]);
    expect(sidesOf(20, 10, 15)).toEqual([30, 15]);
    expect(sidesOf(7, 7, 3)).toEqual([3, 3]);
    expect(sidesOf(3, 4, 10)).toEqual([10, 13]);
  });

  test('can be used for images of changing sizes', () => {
    const step = new Resize([2, 2]);
    const one = hwc(Uint8Array.of(9), 1, 1, 1);
    const two = hwc(Uint8Array.of(1, 2, 3, 4), 2, 2, 1);
    expect([...step.apply(one).data]).toEqual([9, 9, 9, 9]);
    expect([...step.apply(two).data]).toEqual([1, 2, 3, 4]);
    expect([...step.apply(one).data]).toEqual([9, 9, 9, 9]);
  });

  test('refuses bad sizes and layouts', () => {
    for (const size of [0, 1.5, [0, 3], [1, 2, 3]]) {
      expect(() => new Resize(size as number)).toThrow(ValueError);
    }
    expect(() => new Resize(0)).toThrow(
      /size must be one integer .* or \[height, width\].*, got 0/,
    );
    const cubic = { interpolation: 'cubic' as 'linear' };
    expect(() => new Resize(2, cubic)).toThrow(/must be 'linear' or 'nearest', got 'cubic'/);
    const chw: Image = { ...hwc(new Uint8Array(4), 2, 2, 1), layout: 'CHW' };
    expect(() => new Resize(3).apply(chw)).toThrow(ShapeError);
    expect(() => new Resize(3).apply(chw)).toThrow(/put Resize before HWC2CHW/);
  });
});

test('Resize, pointwise steps and HWC2CHW give the same bits in Compose as one by one', () => {
  const cases = fc.record({
    height: fc.integer({ min: 1, max: 20 }),
    width: fc.integer({ min: 1, max: 20 }),
    size: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })),
    channels: fc.integer({ min: 1, max: 6 }),
    interpolation: fc.constantFrom<Interpolation>('linear', 'nearest'),
    isHalved: fc.boolean(),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(cases, ({ channels, interpolation, isHalved, seed, ...sides }) => {
      const { size } = sides;
      const [height, width] = isHalved ? size.map((side) => 2 * side) : [sides.height, sides.width];
      const words = new Generator(seed).words(height * width * channels);
      const image = hwc(
        Uint8Array.from(words, (word) => word & 255),
        height,
        width,
        channels,
      );
      const steps = [
        new Resize(size, { interpolation }),
        new Rescale(1 / 255, -0.1),
        new Normalize({ mean: Array(channels).fill(0.3), std: Array(channels).fill(0.7) }),
        new HWC2CHW(),
      ];
      const expected = steps.reduce<Image>((current, step) => step.apply(current), image);
      const together = new Compose(steps);
      const generator = new Generator(0);
      const target = new Float32Array(expected.data.length);
      expect(together.apply(image, generator)).toEqual(expected); // Step by step.
      expect(together.apply(image, generator)).toEqual(expected); // By table.
      expect(together.apply(image, generator, target).data).toBe(target);
      expect(target).toEqual(expected.data);
    }),
  );
});
