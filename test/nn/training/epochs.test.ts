import { type BatchOptions, batches, Cifar10, type Image, syntheticCifar10 } from '@firelight/data';
import { decodeCheckpoint, type LabelledBatch, Linear, ProgressBar } from '@firelight/nn';
import { Generator, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Blobs, bits, CLASSES, createModel, createNetwork, Keeper } from './blobs.ts';

/** Images 1 × 4 × 4, in batches. */
const images = (length: number, options: BatchOptions) =>
  batches(
    {
      length,
      get: (index) => {
        const data = Float32Array.from(new Generator(index).normal(16));
        return {
          image: { data, channels: 1, height: 4, width: 4, layout: 'CHW' },
          label: index % CLASSES,
        };
      },
    },
    {
      shuffle: true,
      transform: (image: Image, generator: Generator) => ({
        ...image,
        data: Float32Array.from(image.data, (value) => value + generator.uniform(1)[0]),
      }),
      ...options,
    },
  );

describe('an epoch', () => {
  test.each([2, 3])('has the steps of %i turns where the data set repeats', async (repeat) => {
    const steps: string[] = [];
    const network = createNetwork();
    const { globalStep } = await createModel(network).train(
      2,
      images(10, { batchSize: 4, repeat }),
      {
        callbacks: [
          {
            onTrainBegin: ({ stepsPerEpoch }) => expect(stepsPerEpoch).toBe(3 * repeat),
            onStepEnd: ({ epoch, step }) => {
              steps.push(`${epoch}.${step}`);
            },
          },
        ],
      },
    );
    expect(globalStep).toBe(2 * 3 * repeat);
    const all = [1, 2].flatMap((epoch) =>
      Array.from({ length: 3 * repeat }, (_, i) => `${epoch}.${i + 1}`),
    );
    expect(steps).toEqual(all);
    const plain = createNetwork();
    await createModel(plain).train(2 * repeat, images(10, { batchSize: 4 }));
    expect(bits(network)).toEqual(bits(plain));
  });

  test('has stepsPerEpoch steps, and goes on in the data set where the one before ended', async () => {
    const plain = createNetwork();
    await createModel(plain).train(5, images(10, { batchSize: 4 }));
    for (const repeat of [1, 2, Number.POSITIVE_INFINITY]) {
      const network = createNetwork();
      const data = images(10, { batchSize: 4, repeat });
      const result = await createModel(network).train(3, data, { stepsPerEpoch: 5 });
      expect(result.globalStep).toBe(15);
      expect(bits(network)).toEqual(bits(plain));
    }
  });

  test('takes as many as it needs of what can be iterated only once', async () => {
    const network = createNetwork();
    const endless = (function* () {
      for (const data = new Blobs(); ; ) yield* data;
    })();
    await createModel(network).train(2, endless, { stepsPerEpoch: 6 });
    const plain = createNetwork();
    await createModel(plain).train(3, new Blobs());
    expect(bits(network)).toEqual(bits(plain));
    expect(endless.next()).toEqual({ done: true, value: undefined });
  });
});

test('a resume of any form of epochs, from any moment, ends with the same bits', () => {
  const forms = fc.record({
    length: fc.integer({ min: 4, max: 9 }),
    batchSize: fc.integer({ min: 2, max: 4 }),
    repeat: fc.constantFrom(1, 2, 3, Number.POSITIVE_INFINITY),
    stepsPerEpoch: fc.option(fc.integer({ min: 1, max: 7 }), { nil: undefined }),
    canBegin: fc.boolean(),
    sharesGenerator: fc.boolean(),
    averageDecay: fc.option(fc.constant(0.5), { nil: undefined }),
    moment: fc.nat({ max: 1000 }),
  });
  return fc.assert(
    fc.asyncProperty(
      forms,
      async ({ moment, canBegin, sharesGenerator, averageDecay, ...form }) => {
        const { length, batchSize, repeat } = form;
        const stepsPerEpoch = form.stepsPerEpoch ?? (repeat > 3 ? 5 : undefined);
        const train = async (seed: number, keeper: Keeper, file?: Uint8Array) => {
          const generator = new Generator(1);
          const source = images(length, { batchSize, repeat, generator });
          const { batchesPerEpoch } = source;
          // Without `from`, a resume loads and drops what was taken.
          const data = canBegin
            ? source
            : Object.assign(iterated(source), { generator, repeat, batchesPerEpoch });
          const validation = sharesGenerator ? images(5, { generator }) : images(5, {});
          const network = createNetwork(seed);
          const lines: string[] = [];
          const stream = { write: (text: string) => lines.push(text), isTTY: seed === 0 };
          const result = await createModel(
            network,
            averageDecay === undefined ? {} : { averageDecay },
          ).train(2, data, {
            validation,
            callbacks: [new ProgressBar({ stream }), keeper],
            ...(stepsPerEpoch === undefined ? {} : { stepsPerEpoch }),
            ...(file === undefined ? {} : { resumeFrom: await decodeCheckpoint(file, 'memory') }),
          });
          expect(lines.join('')).not.toMatch(/NaN|Infinity|-\d/);
          return { ...result, weights: bits(network) };
        };
        const keeper = new Keeper();
        const whole = await train(0, keeper);
        const files = await Promise.all(keeper.snapshots);
        const at = moment % (files.length - 1); // The last one is of the end.
        const resumed = await train(7, new Keeper(), files[at]);
        expect(resumed).toEqual(whole);
      },
    ),
    { numRuns: 25 },
  );
});

/** Batches without what else a data set offers. */
const iterated = (source: AsyncIterable<LabelledBatch>): AsyncIterable<LabelledBatch> => ({
  [Symbol.asyncIterator]: () => source[Symbol.asyncIterator](),
});

describe('what cannot be trained on', () => {
  const train = (data: Iterable<LabelledBatch> | AsyncIterable<LabelledBatch>, options = {}) =>
    createModel(createNetwork()).train(2, data, options);

  test('a data set that repeats for ever needs stepsPerEpoch', async () => {
    await expect(train(images(4, { repeat: Number.POSITIVE_INFINITY }))).rejects.toThrow(
      /Model\.train: the data set repeats for ever.*; pass stepsPerEpoch to train/,
    );
    for (const stepsPerEpoch of [0, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(train(new Blobs(), { stepsPerEpoch })).rejects.toThrow(
        /Model\.train: stepsPerEpoch must be an integer ≥ 1, got /,
      );
    }
  });

  test('what is used up says so, and what to pass', async () => {
    async function* later() {
      yield* new Blobs();
    }
    const usedUp = /Model\.train: the data set is used up after 4 batches, .* begins anew/;
    await expect(train(new Blobs()[Symbol.iterator]())).rejects.toThrow(usedUp);
    await expect(train(later())).rejects.toThrow(usedUp);
    await expect(train([...new Blobs()].values(), { stepsPerEpoch: 3 })).rejects.toThrow(usedUp);
    const once = later();
    await expect(train({ [Symbol.asyncIterator]: () => once })).rejects.toThrow(usedUp);
    await train({ [Symbol.asyncIterator]: later });
    const validation = new Blobs()[Symbol.iterator]();
    await expect(train(new Blobs(), { validation })).rejects.toThrow(
      /Model\.eval: the data set is used up, since it can be iterated only once/,
    );
    await expect(train([])).rejects.toThrow(/the data set gave no batch; see its size/);
  });
});

test('an iteration is ended where the training fails', async () => {
  let isEnded = false;
  function* endless() {
    try {
      for (;;) yield* new Blobs();
    } finally {
      isEnded = true;
    }
  }
  const failing = {
    onStepEnd: () => {
      throw new Error('of the callback');
    },
  };
  await expect(
    createModel(createNetwork()).train(1, endless(), { callbacks: [failing] }),
  ).rejects.toThrow('of the callback');
  expect(isEnded).toBe(true);
});

test('a data set that must be read first is read', async () => {
  const network = new Linear({ inFeatures: 1, outFeatures: CLASSES, generator: new Generator(0) });
  const batch = { image: tensor([[1]]), label: tensor([2], { dtype: 'int32' }) };
  const lazy = () => {
    let isRead = false;
    return {
      load: async () => {
        isRead = true;
      },
      get batchesPerEpoch(): number {
        if (!isRead) throw new Error('not read');
        return 1;
      },
      *[Symbol.iterator]() {
        yield batch;
      },
    };
  };
  const { globalStep } = await createModel(network).train(1, lazy(), { validation: lazy() });
  expect(globalStep).toBe(1);
  const bytes = syntheticCifar10({ count: 2, seed: 1 });
  expect(Cifar10.fromBytes(bytes, { repeat: 3 }).repeat).toBe(3);
});
