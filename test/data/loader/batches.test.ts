import {
  type Batch,
  type BatchArrays,
  batches,
  Cifar10,
  type Dataset,
  HWC2CHW,
  type Image,
  syntheticCifar10,
} from '@firelight/data';
import { Generator, type GeneratorState, ShapeError, ValueError } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shares } from '../../helpers/arbitraries.ts';

/** `length` images of 1 × 1 whose only byte and label are their index. */
const numbered = (length: number): Dataset => ({
  length,
  get: (index) => ({
    image: { data: Uint8Array.of(index), height: 1, width: 1, channels: 1, layout: 'CHW' },
    label: index,
  }),
});

async function collect(source: AsyncIterable<Batch>): Promise<Batch[]> {
  const list: Batch[] = [];
  for await (const batch of source) list.push(batch);
  return list;
}

const labelsOf = (list: readonly Batch[]): number[][] =>
  list.map(({ label }) => Array.from(label.data));

describe('batches', () => {
  test('are tensors of the documented shapes and dtypes', async () => {
    const [first, second] = await collect(batches(numbered(5), { batchSize: 3 }));
    expect([first.image.shape, first.image.dtype]).toEqual([[3, 1, 1, 1], 'float32']);
    expect([first.label.shape, first.label.dtype]).toEqual([[3], 'int32']);
    expect(second.image.shape).toEqual([2, 1, 1, 1]);
    expect(labelsOf([first, second])).toEqual([
      [0, 1, 2],
      [3, 4],
    ]);
  });

  test('hold every sample once an epoch, in another order each time; image and label together', () => {
    const sizes = fc.record({
      length: fc.integer({ min: 1, max: 40 }),
      batchSize: fc.integer({ min: 1, max: 12 }),
      seed: fc.nat(),
    });
    return fc.assert(
      fc.asyncProperty(sizes, async ({ length, batchSize, seed }) => {
        const options = { batchSize, shuffle: true, generator: new Generator(seed) };
        const source = batches(numbered(length), options);
        for (let epoch = 0; epoch < 2; epoch++) {
          const list = await collect(source);
          expect(list).toHaveLength(source.batchesPerEpoch);
          const labels = labelsOf(list).flat();
          expect(list.flatMap(({ image }) => Array.from(image.data))).toEqual(labels);
          expect(labels.sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
        }
      }),
      { numRuns: 40 },
    );
  });

  test('repeat exactly for the same seed, and go on from a saved state', async () => {
    const make = (generator: Generator) =>
      batches(numbered(30), { batchSize: 7, shuffle: true, generator });
    const source = make(new Generator(4));
    const first = labelsOf(await collect(source));
    const saved = source.generator.state();
    const second = labelsOf(await collect(source));
    expect(second).not.toEqual(first);
    expect(labelsOf(await collect(make(new Generator(4))))).toEqual(first);
    expect(labelsOf(await collect(make(Generator.fromState(saved))))).toEqual(second);
  });

  test('drop the remainder and repeat epochs if asked', async () => {
    const source = batches(numbered(10), { batchSize: 4, dropRemainder: true, repeat: 3 });
    expect(source.batchesPerEpoch).toBe(2);
    expect(labelsOf(await collect(source))).toHaveLength(6);
  });

  test('give each sample the same random numbers, whatever the order and batch size', async () => {
    const drawn = async (batchSize: number, shuffle: boolean) => {
      const seen = new Map<number, number>();
      const transform = (image: Image, generator: Generator) => {
        seen.set(image.data[0], generator.words(1)[0]);
        return image;
      };
      const generator = new Generator(8);
      await collect(batches(numbered(20), { batchSize, shuffle, transform, generator }));
      return seen;
    };
    const one = await drawn(1, false);
    const other = await drawn(6, true);
    for (const [index, word] of one) expect(other.get(index)).toBe(word);
    expect(new Set(one.values()).size).toBe(20);
  });

  test('are not changed by what makes the next ones', async () => {
    const pixels = new Float32Array(2);
    const labels = new Int32Array(2);
    // Both write every batch into one array, as a transform of a user may do.
    const refill = {
      apply: (batch: BatchArrays): BatchArrays => {
        pixels.set(batch.pixels);
        labels.set(batch.labels);
        return { ...batch, pixels, labels };
      },
    };
    const byte = new Uint8Array(1);
    const refilled: Dataset = {
      length: 4,
      get: (index) => ({
        image: { data: byte.fill(index), height: 1, width: 1, channels: 1, layout: 'CHW' },
        label: index,
      }),
    };
    for (const [dataset, batchTransforms] of [
      [numbered(4), [refill]],
      [refilled, []],
    ] as const) {
      const list = await collect(batches(dataset, { batchSize: 2, batchTransforms }));
      expect(labelsOf(list)).toEqual([
        [0, 1],
        [2, 3],
      ]); // prettier-ignore
      expect(list.map(({ image }) => Array.from(image.data))).toEqual(labelsOf(list));
    }
  });

  test('refuse numbers and images that do not fit', async () => {
    expect(() => batches(numbered(1), { batchSize: 0 })).toThrow(ValueError);
    expect(() => batches(numbered(1), { repeat: 0 })).toThrow(/repeat must be an integer ≥ 1/);
    const none = batches(numbered(2), { batchSize: 3, dropRemainder: true });
    await expect(collect(none)).rejects.toThrow(/2 samples do not fill one batch of 3/);
    const growing: Dataset = {
      length: 2,
      get: (i) => ({
        image: { data: new Uint8Array(i + 1), height: 1, width: i + 1, channels: 1, layout: 'CHW' },
        label: 0,
      }),
    };
    await expect(collect(batches(growing))).rejects.toThrow(ShapeError);
    const records = { batchSize: 2, transform: (image: never) => image };
    const cifar = Cifar10.fromBytes(syntheticCifar10({ count: 2, seed: 1 }), records);
    await expect(collect(cifar)).rejects.toThrow(/add HWC2CHW as its last step/);
    const fixed = Cifar10.fromBytes(syntheticCifar10({ count: 2, seed: 1 }), {
      transform: new HWC2CHW(),
    });
    expect((await collect(fixed))[0].image.shape).toEqual([2, 3, 32, 32]);
  });
});

const pixelsOf = (list: readonly Batch[]): number[][] =>
  list.map(({ image }) => Array.from(image.data));

test('from(k) is the rest of a pass, in whatever epoch k lies, with the same random transforms', () => {
  const sizes = fc.record({
    length: fc.integer({ min: 1, max: 20 }),
    batchSize: fc.integer({ min: 1, max: 6 }),
    repeat: fc.integer({ min: 1, max: 4 }),
    dropRemainder: fc.boolean(),
    seed: fc.nat(),
    part: fc.oneof({ weight: 9, arbitrary: shares }, { weight: 1, arbitrary: fc.constant(1) }),
  });
  return fc.assert(
    fc.asyncProperty(sizes, async ({ length, repeat, seed, part, ...options }) => {
      fc.pre(!options.dropRemainder || length >= options.batchSize);
      const source = () =>
        batches(numbered(length), {
          ...options,
          repeat,
          shuffle: true,
          generator: new Generator(seed),
          transform: (image, generator) => ({
            ...image,
            data: Float32Array.from(image.data, (value) => value + generator.uniform(1)[0]),
          }),
        });
      const all = source();
      // The states in which the epochs began, as a training sees them.
      const states: GeneratorState[] = [];
      const whole: Batch[] = [];
      const iterator = all[Symbol.asyncIterator]();
      for (;;) {
        if (whole.length % all.batchesPerEpoch === 0) states.push(all.generator.state());
        const { value, done } = await iterator.next();
        if (done === true) break;
        whole.push(value);
      }
      const count = all.batchesPerEpoch * all.repeat;
      expect(whole).toHaveLength(count);
      const first = Math.floor(part * count);
      const rest = source();
      expect(pixelsOf(await collect(rest.from(first)))).toEqual(pixelsOf(whole).slice(first));
      expect(rest.generator.state()).toEqual(all.generator.state());
      await expect(collect(rest.from(count + 1))).rejects.toThrow(
        `batches: a pass cannot begin with batch ${count + 1}; it has ${count}, counted from 0`,
      );
      // From the beginning of an epoch of the pass: what is left of it, then others.
      const epoch = Math.floor(first / all.batchesPerEpoch);
      if (epoch === all.repeat) return;
      const later = source();
      later.generator.restore(states[epoch]);
      const left = pixelsOf(whole).slice(first);
      const found = pixelsOf(await collect(later.from(first % all.batchesPerEpoch)));
      expect(found.slice(0, left.length)).toEqual(left);
    }),
  );
});

test('without end every epoch has its own order and its own last batch, and from(k) finds its place', async () => {
  for (const workers of [0, 1]) {
    const source = (generator: Generator) =>
      Cifar10.fromBytes(syntheticCifar10({ count: 7, seed: 1 }), {
        batchSize: 3,
        repeat: Infinity,
        generator,
        workers,
      });
    const take = async (iterable: AsyncIterable<Batch>, count: number): Promise<Batch[]> => {
      const list: Batch[] = [];
      for await (const batch of iterable) if (list.push(batch) === count) break;
      return list;
    };
    const endless = source(new Generator(2));
    expect([endless.repeat, endless.batchesPerEpoch, endless.length]).toEqual([Infinity, 3, 7]);
    const list = await take(endless, 9);
    expect(list.map(({ label }) => label.shape[0])).toEqual([3, 3, 1, 3, 3, 1, 3, 3, 1]);
    const orders = [0, 3, 6].map((at) => labelsOf(list.slice(at, at + 3)).flat());
    expect(new Set(orders.map(String)).size).toBe(3);
    expect(new Set(orders.map((order) => String(order.sort()))).size).toBe(1);
    const rest = await take(source(new Generator(2)).from(4), 5);
    expect(pixelsOf(rest)).toEqual(pixelsOf(list.slice(4)));
  }
}, 60_000);
