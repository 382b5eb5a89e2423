import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Callback,
  decodeCheckpoint,
  loadCheckpoint,
  loadParamIntoNet,
  type MetricValue,
  ModelCheckpoint,
  type TrainingContext,
} from '@firelight/nn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Blobs, bits, createModel, createNetwork, Keeper } from './blobs.ts';

const DECAY = 0.75;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'firelight-average-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const validation = () => [...new Blobs()];

/** Notes what callbacks see. */
class Recorder implements Callback {
  /** Weights after each step, and what each validation measured. */
  readonly weights: number[][][] = [];
  readonly measured: Readonly<Record<string, MetricValue>>[] = [];
  onStepEnd({ network }: TrainingContext): void {
    this.weights.push(bits(network));
  }
  onEpochEnd({ metrics }: TrainingContext): void {
    if (metrics !== null) this.measured.push(metrics);
  }
}

/** Exponential average of the weights, in float32 as they are. */
function averageOf(start: number[][], weights: readonly number[][][]): number[][] {
  const { fround } = Math;
  return weights.reduce(
    (average, step) =>
      average.map((values, i) =>
        values.map((value, j) =>
          fround(fround(value * fround(DECAY)) + fround(step[i][j] * fround(1 - DECAY))),
        ),
      ),
    start,
  );
}

describe('a training that averages its weights', () => {
  test('steps as one that does not, and leaves the average in the network', async () => {
    const plain = new Recorder();
    await createModel(createNetwork()).train(2, new Blobs(), { callbacks: [plain] });
    const averaged = new Recorder();
    const network = createNetwork();
    const model = createModel(network, { averageDecay: DECAY });
    await model.train(2, new Blobs(), {
      callbacks: [averaged],
      validation: validation(),
    });
    expect(averaged.weights).toEqual(plain.weights);
    expect(bits(network)).toEqual(averageOf(bits(createNetwork()), plain.weights));
    expect(await model.eval(validation())).toEqual(averaged.measured[1]);
  });

  test('predicts, evaluates and validates with the average at every moment', async () => {
    const network = createNetwork();
    const model = createModel(network, { averageDecay: DECAY });
    const recorder = new Recorder();
    const [{ image }] = new Blobs();
    const checks: Callback = {
      async onStepEnd(context) {
        const before = bits(network);
        const other = createNetwork(3);
        loadParamIntoNet(other, context.snapshot().tensors, { strict: false });
        expect(bits(other)).toEqual(averageOf(bits(createNetwork()), recorder.weights));
        const measured = await createModel(other).eval(validation());
        expect(await model.eval(validation())).toEqual(measured);
        expect(model.predict(image).toArray()).toEqual(createModel(other).predict(image).toArray());
        expect(bits(network)).toEqual(before);
      },
    };
    await model.train(1, new Blobs(), { callbacks: [recorder, checks] });
  });

  test('saves as the best what was measured, to the bit', async () => {
    for (const [metric, mode] of [
      ['loss', 'min'],
      ['loss', 'max'],
    ] as const) {
      const recorder = new Recorder();
      const prefix = `Net-${mode}`;
      const saving = new ModelCheckpoint({
        directory,
        prefix,
        saveCheckpointSteps: 3,
        keepBest: { metric, mode },
      });
      const model = createModel(createNetwork(), { averageDecay: DECAY });
      await model.train(3, new Blobs(), {
        callbacks: [recorder, saving],
        validation: validation(),
      });
      const figures = recorder.measured.map((measured) => measured[metric] as number);
      const best = figures.reduce((a, b) => Math[mode](a, b));
      const file = join(directory, `${prefix}-best.safetensors`);
      const network = createNetwork(5);
      loadParamIntoNet(network, await loadCheckpoint(file));
      const again = await createModel(network).eval(validation());
      expect(again[metric]).toBe(best);
      // Also into the network that was trained.
      loadParamIntoNet(model.network, await loadCheckpoint(file));
      expect((await model.eval(validation()))[metric]).toBe(best);
    }
  });

  test('leaves the average in the network however it ends', async () => {
    const network = createNetwork();
    const recorder = new Recorder();
    const failing: Callback = {
      onStepEnd: ({ globalStep }) => {
        if (globalStep === 3) throw new Error('of the callback');
      },
    };
    const model = createModel(network, { averageDecay: DECAY });
    await expect(model.train(1, new Blobs(), { callbacks: [recorder, failing] })).rejects.toThrow(
      'of the callback',
    );
    expect(bits(network)).toEqual(averageOf(bits(createNetwork()), recorder.weights));
  });

  test('is resumed only as one that averages', async () => {
    const keepers = [new Keeper(), new Keeper()];
    const extras = [{ averageDecay: DECAY }, {}];
    for (const [i, keeper] of keepers.entries()) {
      await createModel(createNetwork(), extras[i]).train(1, new Blobs(), { callbacks: [keeper] });
    }
    const [averaged, plain] = await Promise.all(
      keepers.map(async ({ snapshots }) => decodeCheckpoint(await snapshots[0], 'old')),
    );
    const resume = (other: object, resumeFrom: typeof plain) =>
      createModel(createNetwork(), other).train(1, new Blobs(), { resumeFrom });
    await expect(resume({}, averaged)).rejects.toThrow(
      /old: is of a training with averageDecay; give the Model the averageDecay it had/,
    );
    await expect(resume({ averageDecay: DECAY }, plain)).rejects.toThrow(
      /old: does not fit this training: .* 'without_average\.0\.weight' is missing in the state/,
    );
  });
});
