import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Accuracy,
  ConfusionMatrix,
  EarlyStopping,
  F1,
  Linear,
  loadCheckpoint,
  type Metric,
  Model,
  ModelCheckpoint,
  MSELoss,
  Precision,
  Recall,
  SGD,
  TopK,
} from '@firelight/nn';
import { Generator, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAbove } from '../../../packages/nn/src/metrics/compare.ts';
import { contextAt } from '../callbacks/context.ts';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

const number = fc.oneof(
  fc.constantFrom(nan, nan, infinity, -infinity, 0),
  fc.integer({ min: -2, max: 2 }),
);

test('NaN is less than every number, and not than itself', () =>
  fc.assert(
    fc.property(number, number, (a, b) => {
      const rank = (x: number): number => (Number.isNaN(x) ? -1 : 0);
      expect(isAbove(a, b)).toBe(rank(a) > rank(b) || (rank(a) === 0 && rank(b) === 0 && a > b));
    }),
  ));

describe('metrics of logits with NaN', () => {
  const CLASSES = 4;
  const sample = fc.record({
    logits: fc.array(number, { minLength: CLASSES, maxLength: CLASSES }),
    label: fc.nat({ max: CLASSES - 1 }),
  });
  type Sample = { logits: number[]; label: number };

  function measure(metric: Metric, samples: readonly Sample[]) {
    metric.reset();
    metric.update(
      tensor(samples.map(({ logits }) => logits)),
      tensor(
        samples.map(({ label }) => label),
        { dtype: 'int32' },
      ),
      null,
    );
    return metric.value();
  }

  /** Classes from the best to the worst: larger logits first, of equal ones the first. */
  const ranking = ({ logits }: Sample): number[] =>
    logits
      .map((_, c) => c)
      .filter((c) => !Number.isNaN(logits[c]))
      .sort((a, b) => (logits[a] === logits[b] ? a - b : logits[a] > logits[b] ? -1 : 1));

  const shareOf = (samples: readonly Sample[], k: number): number =>
    samples.filter((each) => ranking(each).slice(0, k).includes(each.label)).length /
    samples.length;

  test('put NaN behind every number, and never call it right', () =>
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        (samples, k) => {
          expect(measure(new TopK(k), samples)).toBeCloseTo(shareOf(samples, k), 12);
          expect(measure(new Accuracy(), samples)).toBeCloseTo(shareOf(samples, 1), 12);
          const matrix = measure(new ConfusionMatrix(), samples) as number[][];
          const right = matrix.reduce((sum, row, c) => sum + row[c], 0);
          const all = matrix.flat().reduce((sum, count) => sum + count, 0);
          expect(all).toBe(samples.length);
          expect(right / all).toBeCloseTo(shareOf(samples, 1), 12);
        },
      ),
    ));

  test('of a network that gives nothing else are 0', () => {
    const samples = [0, 1, 2, 3].map((label) => ({ logits: new Array(CLASSES).fill(nan), label }));
    for (const metric of [
      new Accuracy(),
      new TopK(1),
      new TopK(5),
      new Precision(),
      new Recall(),
      new F1(),
    ]) {
      expect(measure(metric, samples)).toBe(0);
    }
    expect(measure(new Accuracy(), [{ logits: [nan], label: 0 }])).toBe(0);
    expect(measure(new ConfusionMatrix(), [{ logits: [nan], label: 0 }])).toEqual([[0]]);
  });

  test('refuse labels that are no class', () => {
    const logits = tensor([[1, 2]]);
    for (const [labels, message] of [
      [tensor([nan]), /label NaN is not one of 2 classes/],
      [tensor([0.5]), /label 0\.5 is not one of 2 classes/],
      [tensor([-1]), /label -1 is not one of 2 classes/],
      [tensor([2]), /label 2 is not one of 2 classes/],
      [tensor([[nan, nan]]), /label NaN is not one of 2 classes/],
    ] as const) {
      expect(() => new Accuracy().update(logits, labels)).toThrow(message);
    }
    const accuracy = new Accuracy();
    accuracy.update(logits, tensor([[nan, 1]]));
    expect(accuracy.value()).toBe(1);
  });
});

const values = fc.array(number, { minLength: 1, maxLength: 10 });
const mode = fc.constantFrom('min' as const, 'max' as const);

/** The values that improve on all before them by more than `minDelta`; NaN and the worst never do. */
function improvements(list: readonly number[], which: 'min' | 'max', minDelta = 0): boolean[] {
  let best = which === 'max' ? -infinity : infinity;
  return list.map((value) => {
    const isBetter = which === 'max' ? value > best + minDelta : value < best - minDelta;
    if (isBetter) best = value;
    return isBetter;
  });
}

describe('early stopping', () => {
  test('waits while nothing improves, through NaN at the beginning too, and through a resume', () =>
    fc.assert(
      fc.property(
        values,
        mode,
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(0, 1),
        (list, which, patience, minDelta) => {
          const options = { monitor: 'm', mode: which, patience, minDelta };
          let callback = new EarlyStopping(options);
          let waited = 0;
          for (const [i, isBetter] of improvements(list, which, minDelta).entries()) {
            let reason: string | null = null;
            const requestStop = (text: string): void => {
              reason = text;
            };
            callback.onEpochEnd(contextAt({ metrics: { m: list[i] }, requestStop }));
            waited = isBetter ? 0 : waited + 1;
            expect(reason !== null).toBe(waited >= patience);
            if (Math.abs(list[i]) === infinity) continue; // JSON has no infinity.
            const state = JSON.parse(JSON.stringify(callback.state()));
            if (callback.state().best !== state.best) continue;
            callback = new EarlyStopping(options);
            callback.restore(state);
          }
        },
      ),
    ));

  test('says so where there never was a number', () => {
    let reason = '';
    const requestStop = (text: string): void => {
      reason = text;
    };
    const callback = new EarlyStopping({ patience: 2 });
    for (let i = 0; i < 2; i++) {
      callback.onEpochEnd(contextAt({ metrics: { loss: nan }, requestStop }));
    }
    expect(reason).toBe('loss has not been finite for 2 epochs');
  });
});

test('keepBest never keeps NaN, and recovers from it', () =>
  fc.assert(
    fc.asyncProperty(values, mode, async (list, which) => {
      const directory = await mkdtemp(join(tmpdir(), 'firelight-best-'));
      try {
        const network = new Linear({ inFeatures: 1, outFeatures: 1, generator: new Generator(0) });
        const measured: Metric = {
          reset: () => {},
          update: () => {},
          value: () => list[epoch],
        };
        let epoch = 0;
        const model = new Model({
          network,
          lossFn: new MSELoss(),
          optimizer: new SGD(network.parameters(), { learningRate: 0.1 }),
          metrics: { measured },
        });
        const data = [[tensor([[1]]), tensor([[2]])]] as const;
        const keepBest = { metric: 'measured', mode: which };
        const callbacks = [
          new ModelCheckpoint({ directory, saveCheckpointSteps: 100, keepBest }),
          { onEpochEnd: () => void epoch++ },
        ];
        await model.train(list.length, data, { callbacks: callbacks.reverse(), validation: data });
        const best = improvements(list, which).lastIndexOf(true);
        const file = loadCheckpoint(join(directory, 'CKP-best.safetensors'));
        if (best === -1) await expect(file).rejects.toThrow(/no such file/);
        else expect((await file).metadata.globalStep).toBe(String(best + 1));
      } finally {
        await rm(directory, { recursive: true });
      }
    }),
    { numRuns: 15 },
  ));
