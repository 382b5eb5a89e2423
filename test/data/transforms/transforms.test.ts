import {
  CIFAR10_MEAN,
  CIFAR10_STD,
  Compose,
  HWC2CHW,
  type Image,
  Normalize,
  Rescale,
  type Transform,
  type TransformLike,
} from '@firelight/data';
import { Generator, ShapeError, ValueError } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const generator = new Generator(0);

const image = (values: number[], height: number, width: number): Image => ({
  data: Uint8Array.from(values),
  height,
  width,
  channels: values.length / (height * width),
  layout: 'HWC',
});

/** Images of random bytes with three channels. */
const images = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.nat())
  .map(([height, width, seed]) => {
    const words = new Generator(seed).words(height * width * 3);
    return image(
      Array.from(words, (word) => word & 255),
      height,
      width,
    );
  });

test('Rescale multiplies and shifts in float32', () => {
  const { data } = new Rescale(1 / 255, -0.5).apply(image([0, 255, 51], 1, 3));
  expect(data).toEqual(Float32Array.of(-0.5, 0.5, 51 / 255 - 0.5));
  expect(() => new Rescale(Number.NaN, 0)).toThrow(/must be finite, got NaN and 0/);
});

describe('Normalize', () => {
  const normalize = new Normalize({ mean: CIFAR10_MEAN, std: CIFAR10_STD });

  test('takes the mean to 0 and one standard deviation to 1, in both layouts', () => {
    const hwc: Image = {
      data: Float32Array.of(...CIFAR10_MEAN, ...CIFAR10_MEAN.map((m, i) => m + CIFAR10_STD[i])),
      height: 1,
      width: 2,
      channels: 3,
      layout: 'HWC',
    };
    const expected = [0, 0, 0, 1, 1, 1];
    const close = (values: ArrayLike<number>, wanted: number[]) =>
      wanted.forEach((value, i) => {
        expect(values[i]).toBeCloseTo(value, 5);
      });
    close(normalize.apply(hwc).data, expected);
    const chw = new HWC2CHW().apply(hwc);
    close(normalize.apply(chw).data, [0, 1, 0, 1, 0, 1]);
  });

  test('is undone by its inverse', () => {
    fc.assert(
      fc.property(images, (original) => {
        const there = normalize.apply(original);
        const back = normalize.inverse().apply(there);
        original.data.forEach((value, i) => {
          expect(back.data[i]).toBeCloseTo(value, 3);
        });
      }),
    );
  });

  test('refuses lists and images that do not fit', () => {
    expect(() => new Normalize({ mean: [0], std: [1, 1] })).toThrow(/got 1 and 2 numbers/);
    expect(() => new Normalize({ mean: [0], std: [0] })).toThrow(ValueError);
    expect(() => normalize.apply(image([1, 2], 1, 2))).toThrow(ShapeError);
    expect(() => normalize.apply(image([1, 2], 1, 2))).toThrow(
      /have 3 numbers, the image .* 1 chan/,
    );
  });
});

describe('HWC2CHW', () => {
  test('is the transpose', () => {
    fc.assert(
      fc.property(images, (hwc) => {
        const chw = new HWC2CHW().apply(hwc);
        expect(chw.layout).toBe('CHW');
        for (let at = 0; at < hwc.data.length; at++) {
          const [pixel, channel] = [Math.floor(at / 3), at % 3];
          expect(chw.data[channel * hwc.height * hwc.width + pixel]).toBe(hwc.data[at]);
        }
      }),
    );
  });

  test('refuses to be applied twice', () => {
    const chw = new HWC2CHW().apply(image([1, 2, 3], 1, 1));
    expect(() => new HWC2CHW().apply(chw)).toThrow(
      /\[3, 1, 1\] as CHW already; apply HWC2CHW once/,
    );
  });
});

describe('Compose', () => {
  test('applies transforms and functions in order', () => {
    const invert = (x: Image): Image => ({ ...x, data: x.data.map((value) => -value) });
    const both = new Compose([new Rescale(2, 1), invert]);
    expect(both.apply(image([3], 1, 1), generator).data).toEqual(Float32Array.of(-7));
    const input = image([3], 1, 1);
    expect(new Compose([]).apply(input, generator)).toBe(input);
  });

  test('looks pointwise steps up for byte images, with the values of the steps to the bit', () => {
    const steps = [
      new Rescale(1 / 255, 0.01),
      new Normalize({ mean: CIFAR10_MEAN, std: CIFAR10_STD }),
    ];
    const applied: Image[] = [];
    const count: Transform = {
      isPointwise: true,
      apply: (x) => {
        applied.push(x);
        return x;
      },
    };
    const together = new Compose([...steps, count]);
    const withPlanes = new Compose([...steps, new HWC2CHW()]);
    fc.assert(
      fc.property(images, fc.boolean(), fc.boolean(), (bytes, isFloat, isPlanar) => {
        const hwc = isFloat ? { ...bytes, data: Float32Array.from(bytes.data) } : bytes;
        const input = isPlanar ? new HWC2CHW().apply(hwc) : hwc;
        const expected = steps.reduce((x: Image, step) => step.apply(x), input);
        expect(together.apply(input, generator)).toEqual(expected);
        if (isPlanar) {
          expect(() => withPlanes.apply(input, generator)).toThrow(/apply HWC2CHW once/);
        } else {
          expect(withPlanes.apply(input, generator)).toEqual(new HWC2CHW().apply(expected));
        }
      }),
    );
    const run = applied.length;
    together.apply(image([1, 2, 3], 1, 1), generator);
    expect(applied).toHaveLength(run);
  });

  test('keeps the errors of pointwise steps, with the image they are about', () => {
    const compose = new Compose([new Normalize({ mean: [0], std: [1] })]);
    for (let again = 0; again < 2; again++) {
      expect(() => compose.apply(image([1, 2, 3, 4], 1, 2), generator)).toThrow(
        /have 1 numbers, the image \[1, 2, 2\] as HWC has 2 channels/,
      );
    }
    compose.apply(image([1, 2], 1, 2), generator);
    const broken = { ...image([1, 2], 1, 2), width: 3 };
    expect(() => compose.apply(broken, generator)).toThrow(/\[1, 3, 1\] as HWC needs 3 elements/);
  });

  test('passes bytes through a pointwise step that gives bytes', () => {
    const invert: Transform = {
      isPointwise: true,
      apply: (x) => ({ ...x, data: x.data.map((value) => 255 - value) }),
    };
    const compose = new Compose([invert]);
    for (const value of [3, 4]) {
      const { data } = compose.apply(image([value], 1, 1), generator);
      expect(data).toEqual(Uint8Array.of(255 - value));
    }
  });

  test('refuses what is no transform', () => {
    const wrong = [new Rescale(1, 0), 5 as unknown as TransformLike];
    expect(() => new Compose(wrong)).toThrow(/member 1 must be a transform .* got number/);
  });
});

test('an image whose data do not fill its shape is refused', () => {
  const broken: Image = { ...image([1, 2, 3], 1, 1), width: 2 };
  expect(() => new Rescale(1, 0).apply(broken)).toThrow(
    /\[1, 2, 3\] as HWC needs 6 elements.* has 3/,
  );
  const empty: Image = { ...image([], 1, 1), height: 0 };
  expect(() => new HWC2CHW().apply(empty)).toThrow(/must be integers ≥ 1/);
});
