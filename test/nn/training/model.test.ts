import {
  type Callback,
  decodeCheckpoint,
  EarlyStopping,
  Flatten,
  Linear,
  Loss,
  LossMonitor,
  Model,
  ReLU,
  Sequential,
  type TrainingContext,
} from '@firelight/nn';
import { assign, Generator, type Tensor, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Blobs, bits, CLASSES, createModel, createNetwork, type Extras, Keeper } from './blobs.ts';

describe('train', () => {
  test('learns, and eval and predict use what was learned', async () => {
    const network = createNetwork();
    const model = createModel(network);
    const before = await model.eval(new Blobs());
    const { epoch, globalStep, loss, metrics, stopReason } = await model.train(8, new Blobs(), {
      validation: new Blobs(),
    });
    expect([epoch, globalStep, stopReason]).toEqual([8, 32, null]);
    expect(loss).toBeLessThan(before.loss as number);
    expect(metrics?.accuracy).toBeGreaterThan(0.9);
    expect(network.training).toBe(true);
    const [{ image }] = new Blobs();
    const logits = model.predict(image);
    expect(logits.shape).toEqual([6, CLASSES]);
    expect(logits.requiresGrad).toBe(false);
    expect(model.predict(image).toArray()).toEqual(logits.toArray());
  });

  test('takes pairs and plain arrays', async () => {
    const pairs = [...new Blobs()].map(({ image, label }) => [image, label] as const);
    const fromPairs = createNetwork();
    await createModel(fromPairs).train(1, pairs);
    const fromBlobs = createNetwork();
    await createModel(fromBlobs).train(1, new Blobs());
    expect(bits(fromPairs)).toEqual(bits(fromBlobs));
  });

  test('calls callbacks in their order, those that save last', async () => {
    const calls: string[] = [];
    const recorder = (name: string, runsLast: boolean): Callback => {
      const note = (moment: string) => (context: TrainingContext) => {
        calls.push(`${name} ${moment} ${context.epoch}.${context.step}`);
      };
      return {
        runsLast,
        onTrainBegin: note('train'),
        onEpochBegin: note('epoch'),
        onStepBegin: note('step'),
        onStepEnd: async (context) => note('stepped')(context),
        onEpochEnd: note('epoched'),
        onTrainEnd: note('trained'),
      };
    };
    const data = [...new Blobs()].slice(0, 1);
    const callbacks = [recorder('b', true), recorder('a', false)];
    await createModel(createNetwork()).train(2, data, { callbacks });
    const moments = (epoch: number) => [
      `epoch ${epoch}.0`,
      `step ${epoch}.0`,
      `stepped ${epoch}.1`,
      `epoched ${epoch}.1`,
    ];
    const expected = ['train 1.0', ...moments(1), ...moments(2), 'trained 2.1'];
    expect(calls).toEqual(expected.flatMap((moment) => [`a ${moment}`, `b ${moment}`]));
  });

  test('accumulates gradients to what one larger batch gives', async () => {
    const linear = () =>
      new Sequential([
        new Flatten(),
        new Linear({ inFeatures: 16, outFeatures: CLASSES, generator: new Generator(1) }),
      ]);
    const batches = [...new Blobs()];
    const [small, large] = [linear(), linear()];
    await createModel(small, { accumulationSteps: 4 }).train(1, batches);
    const image = batches.flatMap((batch) => Array.from(batch.image.data));
    const label = batches.flatMap((batch) => Array.from(batch.label.data));
    await createModel(large).train(1, [
      {
        image: tensor(Float32Array.from(image), { shape: [24, 1, 4, 4] }),
        label: tensor(Int32Array.from(label)),
      },
    ]);
    bits(small)
      .flat()
      .forEach((value, i) => {
        expect(value).toBeCloseTo(bits(large).flat()[i], 5);
      });
  });

  test('clips the norm of the gradients', async () => {
    const network = createNetwork();
    const before = bits(network).flat();
    const data = [...new Blobs()].slice(0, 1);
    await createModel(network, { clipNorm: 1e-3 }, 1).train(1, data);
    const parameters = network.parameters().flatMap(({ data: values }) => Array.from(values));
    const start = createNetwork()
      .parameters()
      .flatMap(({ data: values }) => Array.from(values));
    const moved = Math.hypot(...parameters.map((value, i) => value - start[i]));
    expect(moved).toBeGreaterThan(0.9e-3);
    expect(moved).toBeLessThan(1.01e-3);
    expect(before).not.toEqual(bits(network).flat());
  });
});

describe('resume', () => {
  const cases: [string, Extras][] = [
    ['as it is', {}],
    ['with an average', { averageDecay: 0.9 }],
    ['while gradients accumulate', { accumulationSteps: 3 }],
  ];
  test.each(cases)('from any moment ends with the same bits, %s', async (_, extras) => {
    const epochs = 3;
    const network = createNetwork();
    const keeper = new Keeper();
    const callbacks = [new EarlyStopping({ patience: 9 }), keeper];
    const options = { validation: new Blobs(), callbacks };
    const whole = await createModel(network, extras).train(epochs, new Blobs(), options);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: keeper.snapshots.length - 1 }), async (moment) => {
        const resumeFrom = await decodeCheckpoint(await keeper.snapshots[moment], 'memory');
        const other = createNetwork(9);
        const result = await createModel(other, extras).train(epochs, new Blobs(), {
          validation: new Blobs(),
          callbacks: [new EarlyStopping({ patience: 9 })],
          resumeFrom,
        });
        expect(bits(other)).toEqual(bits(network));
        expect(result.globalStep).toBe(whole.globalStep);
        const isOver = moment === keeper.snapshots.length - 1;
        expect(result.metrics).toEqual(isOver ? null : whole.metrics);
      }),
      { numRuns: 12 },
    );
  });

  test('needs the state of a training, of this network', async () => {
    const network = createNetwork();
    const model = createModel(network);
    const weights = { tensors: network.stateDict(), metadata: {}, file: 'w.safetensors' };
    await expect(model.train(1, new Blobs(), { resumeFrom: weights })).rejects.toThrow(
      /w\.safetensors: holds weights, but not the state of a training/,
    );
    const keeper = new Keeper();
    await model.train(1, new Blobs(), { callbacks: [keeper] });
    const resumeFrom = await decodeCheckpoint(await keeper.snapshots[0], 'other.safetensors');
    const withAverage = createModel(network, { averageDecay: 0.5 });
    await expect(withAverage.train(1, new Blobs(), { resumeFrom })).rejects.toThrow(
      /other\.safetensors: does not fit this training: .*average\..* is missing/,
    );
  });
});

describe('what goes wrong', () => {
  test('a loss that is not finite names step, learning rate and layer; weights stay', async () => {
    const network = createNetwork();
    const batches = [...new Blobs()];
    const { image } = batches[1];
    assign(image, image.data.with(7, Number.NaN));
    const error = await createModel(network)
      .train(1, batches)
      .catch((caught) => caught);
    expect(error.name).toBe('TrainingError');
    expect(error.message).toMatch(
      /^epoch: 1 step: 2\. Invalid loss, terminating training: the loss is NaN at learning rate 0\.05\d* for images \[6, 1, 4, 4\]; the first that is not finite is the output of '0'/,
    );
    for (const { data } of network.parameters()) expect(data.every(Number.isFinite)).toBe(true);
    assign(network.parameters()[0], Number.POSITIVE_INFINITY);
    await expect(createModel(network).train(1, new Blobs())).rejects.toThrow(
      /the first that is not finite is parameter '0\.weight'/,
    );
  });

  test('a dead ReLU at the end is noticed within an epoch, once', async () => {
    const network = createNetwork();
    const head = network.layers[5] as Linear;
    assign(head.weight, 0);
    assign(head.bias as Tensor, -1);
    const warnings: string[] = [];
    const dead = new Sequential([network, new ReLU()]);
    await createModel(dead).train(3, new Blobs(), { warn: (text) => warnings.push(text) });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/all logits were 0 in 4 steps .* headRelu: false/);
    await createModel(createNetwork()).train(3, new Blobs(), {
      warn: (text) => warnings.push(text),
    });
    expect(warnings).toHaveLength(1);
  });

  test('an aborted signal ends the training after the step', async () => {
    const controller = new AbortController();
    const stopper: Callback = {
      onStepEnd: ({ globalStep }) => {
        if (globalStep === 6) controller.abort();
      },
    };
    const { signal } = controller;
    const result = await createModel(createNetwork()).train(5, new Blobs(), {
      callbacks: [stopper],
      signal,
    });
    expect(result).toMatchObject({ epoch: 2, globalStep: 6, stopReason: 'it was interrupted' });
  });

  test('early stopping says why', async () => {
    const callbacks = [new EarlyStopping({ monitor: 'accuracy', patience: 2, minDelta: 1 })];
    const { stopReason, epoch } = await createModel(createNetwork()).train(9, new Blobs(), {
      callbacks,
      validation: new Blobs(),
    });
    expect(epoch).toBe(3);
    expect(stopReason).toMatch(/^accuracy has not improved on [\d.]+ for 2 epochs$/);
  });

  test('mistakes are told', async () => {
    const network = createNetwork();
    const model = createModel(network);
    const alone = new Model({ network });
    await expect(alone.train(1, new Blobs())).rejects.toThrow(/needs lossFn and optimizer/);
    await expect(model.train(0, new Blobs())).rejects.toThrow(/epochs must be an integer ≥ 1/);
    await expect(model.train(1, [])).rejects.toThrow(/Model\.train: the data set gave no batch/);
    await expect(model.eval([])).rejects.toThrow(/Model\.eval: the data set gave no batch/);
    const twice = [new EarlyStopping(), new EarlyStopping()];
    await expect(model.train(1, new Blobs(), { callbacks: twice })).rejects.toThrow(
      /two callbacks with state are called 'EarlyStopping'/,
    );
    const same = new LossMonitor(0);
    await expect(model.train(1, new Blobs(), { callbacks: [same, same] })).rejects.toThrow(
      /callbacks\[1\], 'LossMonitor', is in the list twice; leave one out/,
    );
    for (const none of [undefined, null, false, 'LossMonitor', LossMonitor]) {
      const callbacks = [same, none as unknown as Callback];
      await expect(model.train(1, new Blobs(), { callbacks })).rejects.toThrow(
        /callbacks\[1\] is .*, not an object with methods such as onStepEnd; leave it out/,
      );
    }
    const wrong = ['accurracy'] as unknown as ['accuracy'];
    expect(() => new Model({ network, metrics: wrong })).toThrow(/no metric 'accurracy'; known/);
    const withLoss = new Model({ network, metrics: { mine: new Loss() } });
    await expect(withLoss.eval(new Blobs())).rejects.toThrow(/give the Model a lossFn/);
    expect(() => createModel(network, { clipNorm: 0 })).toThrow(/clipNorm must be > 0, got 0/);
    expect(() => createModel(network, { accumulationSteps: 0.5 })).toThrow(/integer ≥ 1, got 0\.5/);
    expect(() => createModel(network, { averageDecay: 1 })).toThrow(/decay must be in \[0, 1\)/);
  });
});
