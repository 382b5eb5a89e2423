import {
  Adam,
  decodeCheckpoint,
  encodeCheckpoint,
  Linear,
  Model,
  Momentum,
  MSELoss,
  SGD,
  type Snapshot,
} from '@firelight/nn';
import { Generator, randn, type Tensor, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

interface Setting {
  /** Samples of each batch. */
  readonly sizes: number[];
  readonly accumulationSteps: number;
  readonly lossScale: number;
  readonly clipNorm: number | null;
  readonly optimizer: 'SGD' | 'Momentum' | 'Adam';
  readonly seed: number;
}

const settings: fc.Arbitrary<Setting> = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 9 }),
  accumulationSteps: fc.integer({ min: 1, max: 5 }),
  lossScale: fc.constantFrom(1, 8, 1024),
  clipNorm: fc.option(fc.double({ min: 0.05, max: 3, noNaN: true })),
  optimizer: fc.constantFrom('SGD', 'Momentum', 'Adam'),
  seed: fc.nat(),
});

const OPTIMIZERS = {
  SGD: (parameters: Tensor[], lossScale: number) =>
    new SGD(parameters, { learningRate: 0.1, lossScale }),
  Momentum: (parameters: Tensor[], lossScale: number) =>
    new Momentum(parameters, { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1, lossScale }),
  Adam: (parameters: Tensor[], lossScale: number) =>
    new Adam(parameters, { learningRate: 0.1, eps: 1e-2, lossScale }),
};

function create({ clipNorm, lossScale, optimizer, accumulationSteps }: Setting) {
  const network = new Linear({ inFeatures: 3, outFeatures: 2, generator: new Generator(0) });
  const model = new Model({
    network,
    lossFn: new MSELoss(),
    optimizer: OPTIMIZERS[optimizer](network.parameters(), lossScale),
    metrics: ['loss'],
    accumulationSteps,
    ...(clipNorm === null ? {} : { clipNorm }),
  });
  return { network, model };
}

const weightsOf = (network: Linear): number[] =>
  network.parameters().flatMap(({ data }) => Array.from(data));

function batchesOf(sizes: readonly number[], seed: number): [Tensor, Tensor][] {
  const generator = new Generator(seed);
  return sizes.map((size) => [randn([size, 3], { generator }), randn([size, 2], { generator })]);
}

/** Neighbouring batches as one. */
function joined(batches: readonly [Tensor, Tensor][]): [Tensor, Tensor] {
  const join = (part: 0 | 1, width: number): Tensor => {
    const values = batches.flatMap((batch) => Array.from(batch[part].data));
    return tensor(Float32Array.from(values), { shape: [values.length / width, width] });
  };
  return [join(0, 3), join(1, 2)];
}

function expectClose(a: readonly number[], b: readonly number[]): void {
  a.forEach((value, i) => {
    expect(Math.abs(value - b[i])).toBeLessThan(2e-4 * (1 + Math.abs(b[i])));
  });
}

describe('accumulationSteps', () => {
  test('steps as one large batch would, for batches of any sizes and a last group of fewer', () =>
    fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        const { sizes, accumulationSteps, seed } = setting;
        const batches = batchesOf(sizes, seed);
        const groups = batches.flatMap((_, i) =>
          i % accumulationSteps === 0 ? [joined(batches.slice(i, i + accumulationSteps))] : [],
        );
        const small = create(setting);
        const large = create({ ...setting, accumulationSteps: 1, lossScale: 1 });
        await small.model.train(2, batches);
        await large.model.train(2, groups);
        expectClose(weightsOf(small.network), weightsOf(large.network));
      }),
      { numRuns: 60 },
    ));

  test('goes on exactly from a checkpoint between two batches of a step', () =>
    fc.assert(
      fc.asyncProperty(settings, fc.nat(), async (setting, moment) => {
        const batches = batchesOf(setting.sizes, setting.seed);
        const kept: Promise<Uint8Array>[] = [];
        const keep = (context: { snapshot(): Snapshot }): void => {
          kept.push(encodeCheckpoint(context.snapshot()));
        };
        const whole = create(setting);
        await whole.model.train(2, batches, { callbacks: [{ onStepEnd: keep }] });
        const bytes = await kept[moment % kept.length];
        const second = create(setting);
        const resumeFrom = await decodeCheckpoint(bytes, 'memory');
        await second.model.train(2, batches, { resumeFrom });
        expect(weightsOf(second.network)).toEqual(weightsOf(whole.network));
      }),
      { numRuns: 30 },
    ));

  test('takes an older checkpoint, which does not tell sizes, as of batches like the next', async () => {
    const setting: Setting = {
      sizes: [4, 4, 4, 4, 4],
      accumulationSteps: 3,
      lossScale: 1,
      clipNorm: null,
      optimizer: 'Momentum',
      seed: 1,
    };
    const batches = batchesOf(setting.sizes, setting.seed);
    for (const moment of [1, 4]) {
      const kept: Promise<Uint8Array>[] = [];
      const whole = create(setting);
      await whole.model.train(1, batches, {
        callbacks: [
          {
            onStepEnd: (context) => {
              const { tensors, metadata } = context.snapshot();
              const { batchSizes: _, ...older } = JSON.parse(metadata.training);
              const training = JSON.stringify(older);
              kept.push(encodeCheckpoint({ tensors, metadata: { ...metadata, training } }));
            },
          },
        ],
      });
      const second = create(setting);
      const resumeFrom = await decodeCheckpoint(await kept[moment], 'memory');
      await second.model.train(1, batches, { resumeFrom });
      expect(weightsOf(second.network)).toEqual(weightsOf(whole.network));
    }
  });
});

test('clipNorm bounds the gradient without the scale of the loss', () =>
  fc.assert(
    fc.asyncProperty(settings, async (setting) => {
      const { clipNorm } = setting;
      fc.pre(clipNorm !== null);
      const plain: Setting = { ...setting, optimizer: 'SGD', accumulationSteps: 1 };
      const batches = batchesOf(setting.sizes.slice(0, 1), setting.seed);
      const moved = async (some: Setting): Promise<number> => {
        const { network, model } = create(some);
        const before = weightsOf(network);
        await model.train(1, batches);
        return Math.hypot(...weightsOf(network).map((value, i) => value - before[i])) / 0.1;
      };
      const norm = await moved({ ...plain, clipNorm: null, lossScale: 1 });
      expect(Math.abs((await moved(plain)) / Math.min(norm, clipNorm as number) - 1)).toBeLessThan(
        1e-3,
      );
    }),
    { numRuns: 30 },
  ));
