import * as data from '@firelight/data';
import {
  type BatchArrays,
  type BatchTransform,
  batches,
  CenterCrop,
  ColorJitter,
  Compose,
  CutMix,
  Cutout,
  type HasRecipe,
  HWC2CHW,
  type Image,
  Mixup,
  Normalize,
  OneHot,
  RandAugment,
  RandomCrop,
  RandomHorizontalFlip,
  RandomResizedCrop,
  RandomRotation,
  Rescale,
  Resize,
  type Transform,
} from '@firelight/data';
import { Generator } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recipeOf } from '../../../packages/data/src/core/recipe.ts';
import { build } from '../../../packages/data/src/loader/build.ts';
import { Invert } from '../../fixtures/loader/invert.ts';
import { seeds } from '../../helpers/arbitraries.ts';

const side = fc.integer({ min: 1, max: 9 });
const sides = fc.oneof(side, fc.tuple(side, side));
const share = fc.double({ min: 0, max: 1, noNaN: true });
const interpolation = fc.constantFrom('nearest', 'linear');
const fill = fc.integer({ min: 0, max: 255 });
const interval = (low: number, high: number) =>
  fc
    .tuple(
      fc.double({ min: low, max: high, noNaN: true }),
      fc.double({ min: low, max: high, noNaN: true }),
    )
    .map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]);
const options = <Fields extends Record<string, fc.Arbitrary<unknown>>>(fields: Fields) =>
  fc.record(fields, { requiredKeys: [] });
const factor = fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), interval(0, 2));
const three = fc.tuple(share, share, share);

/** Arguments of the constructor of each transform. */
const TRANSFORMS: Readonly<Record<string, fc.Arbitrary<Transform & HasRecipe>>> = {
  CenterCrop: sides.map((size) => new CenterCrop(size)),
  ColorJitter: options({
    brightness: factor,
    contrast: factor,
    saturation: factor,
    hue: interval(-0.5, 0.5),
  }).map((given) => new ColorJitter(given)),
  Compose: fc
    .tuple(sides, share)
    .map(
      ([size, scale]) =>
        new Compose([
          new RandomHorizontalFlip(),
          new Resize(size),
          new Rescale(scale, 1),
          new HWC2CHW(),
        ]),
    ),
  Cutout: fc
    .tuple(fc.nat(6), options({ holes: fc.nat(3), fill }))
    .map(([length, given]) => new Cutout(length, given)),
  HWC2CHW: fc.constant(new HWC2CHW()),
  Normalize: fc
    .record({ mean: three, std: three.map((list) => list.map((value) => value + 0.1)) })
    .map((given) => new Normalize(given)),
  RandAugment: options({
    operations: fc.nat(3),
    magnitude: fc.nat(9),
    bins: fc.integer({ min: 10, max: 31 }),
    interpolation,
    fill,
  }).map((given) => new RandAugment(given)),
  RandomCrop: fc
    .tuple(sides, fc.oneof(fc.nat(3), fc.tuple(fc.nat(3), fc.nat(3))), fill)
    .map(([size, padding, value]) => new RandomCrop(size, { padding, fill: value })),
  RandomHorizontalFlip: fc.oneof(
    share.map((probability) => new RandomHorizontalFlip(probability)),
    fc.constant(new RandomHorizontalFlip()),
  ),
  RandomResizedCrop: fc
    .tuple(sides, options({ scale: interval(0.1, 1), ratio: interval(0.5, 2), interpolation }))
    .map(([size, given]) => new RandomResizedCrop(size, given)),
  RandomRotation: fc
    .tuple(fc.oneof(fill, interval(-360, 360)), options({ interpolation, fill }))
    .map(([degrees, given]) => new RandomRotation(degrees, given)),
  Rescale: fc.tuple(share, share).map(([scale, shift]) => new Rescale(scale, shift)),
  Resize: fc
    .tuple(sides, options({ interpolation }))
    .map(([size, given]) => new Resize(size, given)),
};

const BATCH_TRANSFORMS: Readonly<Record<string, fc.Arbitrary<BatchTransform & HasRecipe>>> = {
  CutMix: options({ alpha: share.map((x) => x + 0.1) }).map((given) => new CutMix(given)),
  Mixup: options({ alpha: share.map((x) => x + 0.1) }).map((given) => new Mixup(given)),
  OneHot: options({ smoothing: share.map((x) => x / 2) }).map((given) => new OneHot(3, given)),
};

/** What a worker thread makes of the recipe that it gets in a message. */
async function remade<Step extends HasRecipe>(step: Step): Promise<Step> {
  return (await build(structuredClone(step.recipe()), data)) as Step;
}

function imageOf(seed: number, [height, width]: readonly number[]): Image {
  const bytes = new Generator(seed).uniform(height * width * 3, { low: 0, high: 256 });
  return { data: Uint8Array.from(bytes), height, width, channels: 3, layout: 'HWC' };
}

/** What it gives, or its error: a window may not fit into an image. */
function outcome<Result>(apply: () => Result): Result | string {
  try {
    return apply();
  } catch (error) {
    return String(error);
  }
}

test.each(Object.entries(TRANSFORMS))('%s is made equal by its recipe', (name, transforms) =>
  fc.assert(
    fc.asyncProperty(transforms, seeds, fc.tuple(side, side), async (transform, seed, size) => {
      const again = await remade(transform);
      expect(again.constructor).toBe(transform.constructor);
      expect(again.recipe()).toEqual(transform.recipe());
      expect(transform.recipe().name).toBe(name);
      const image = imageOf(seed, size);
      const [first, second] = [transform, again].map((either) =>
        outcome(() => either.apply(image, new Generator(seed))),
      );
      expect(second).toEqual(first);
    }),
    { numRuns: 50 },
  ),
);

test.each(Object.entries(BATCH_TRANSFORMS))('%s is made equal by its recipe', (name, transforms) =>
  fc.assert(
    fc.asyncProperty(transforms, seeds, async (transform, seed) => {
      const again = await remade(transform);
      expect(again.recipe()).toEqual(transform.recipe());
      expect(transform.recipe().name).toBe(name);
      const batch: BatchArrays = {
        pixels: Float32Array.from(new Generator(seed).normal(4 * 2 * 5 * 3)),
        imageShape: [4, 2, 5, 3],
        ...(name === 'OneHot'
          ? { labels: Int32Array.of(0, 2, 1, 1), labelShape: [4] }
          : { labels: Float32Array.from(new Generator(seed).uniform(12)), labelShape: [4, 3] }),
      };
      const [first, second] = [transform, again].map((either) =>
        either.apply(batch, new Generator(seed)),
      );
      expect(second).toEqual(first);
    }),
    { numRuns: 50 },
  ),
);

test('these are all transforms that the package exports', () => {
  const steps = Object.entries(data).filter(([, value]) => {
    const prototype = typeof value === 'function' ? value.prototype : undefined;
    return prototype !== undefined && 'recipe' in prototype && !('get' in prototype);
  });
  expect(steps.map(([name]) => name).sort()).toEqual(
    [...Object.keys(TRANSFORMS), ...Object.keys(BATCH_TRANSFORMS)].sort(),
  );
});

describe('a defined transform', () => {
  test('is a class by its name, with its members', () => {
    const resize = new Resize([3, 4]);
    expect(Resize.name).toBe('Resize');
    expect(resize).toBeInstanceOf(Resize);
    expect(resize).toMatchObject({ size: [3, 4], interpolation: 'linear' });
  });

  test('keeps the arguments that it was made with', () => {
    const mean = [0.5];
    const normalize = new Normalize({ mean, std: [1] });
    mean[0] = 7;
    expect(normalize.recipe().args).toEqual([{ mean: [0.5], std: [1] }]);
  });

  test('of a user is made from its module', async () => {
    const invert = new Invert(200);
    const again = await remade(invert);
    const image = imageOf(1, [2, 2]);
    expect(again.apply(image)).toEqual(invert.apply(image));
    expect(recipeOf(new Compose([invert])).args).toEqual([[invert.recipe()]]);
  });

  test('runs on worker threads as it does without', async () => {
    const samples = data.syntheticCifar10({ count: 6, seed: 1 });
    const contents = async (workers: number) => {
      const transform = new Compose([new Invert(), new HWC2CHW()]);
      const source = data.Cifar10.fromBytes(samples, { workers, transform, shuffle: false });
      const all: unknown[] = [];
      for await (const { image } of source) all.push(image.data.slice());
      return all;
    };
    expect(await contents(1)).toEqual(await contents(0));
  }, 60_000);

  test('is not what a subclass without a recipe is made as', () => {
    class Gentle extends RandomRotation {
      constructor() {
        super(5);
      }
    }
    expect(() => recipeOf(new Gentle())).toThrow(
      /worker threads cannot make 'Gentle', since it has no recipe; define it by defineTransform/,
    );
    class Known extends RandomRotation {
      override recipe() {
        return { module: 'file:///known.js', name: 'Known', args: [] };
      }
    }
    expect(recipeOf(new Known(5)).name).toBe('Known');
  });

  test('cannot be made where a member of a Compose is a function', () => {
    const compose = new Compose([
      function double(image: Image) {
        return image;
      },
    ]);
    expect(() => compose.recipe()).toThrow(/cannot make 'function double'/);
    expect(() =>
      batches(
        { length: 1, get: () => ({ image: imageOf(1, [1, 1]), label: 0 }) },
        { transform: compose },
      ),
    ).not.toThrow();
  });
});
