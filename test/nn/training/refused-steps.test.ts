import {
  Adam,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  Model,
  type ModelOptions,
  type Module,
  Momentum,
  ReLU,
  Sequential,
  type Snapshot,
  SoftmaxCrossEntropyWithLogits,
  TrainingError,
} from '@firelight/nn';
import {
  assign,
  defineOp,
  full,
  Generator,
  mul,
  NdArray,
  randn,
  sum,
  type Tensor,
  tensor,
} from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

type Batch = { image: Tensor; label: Tensor };

function createNetwork(): Sequential {
  const generator = new Generator(0);
  return new Sequential([
    new Conv2d({ inChannels: 1, outChannels: 3, kernelSize: 3, generator }),
    new BatchNorm2d({ numFeatures: 3 }),
    new ReLU(),
    new Dropout({ p: 0.25, generator: new Generator(3) }),
    new Flatten(),
    new Linear({ inFeatures: 12, outFeatures: 2, generator }),
  ]);
}

function createModel(
  network: Module,
  { lossScale, ...options }: Partial<ModelOptions> & { lossScale?: number } = {},
): Model {
  return new Model({
    network,
    lossFn: new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' }),
    optimizer: new Adam(network.parameters(), {
      learningRate: 0.05,
      ...(lossScale === undefined ? {} : { lossScale }),
    }),
    metrics: ['accuracy', 'loss'],
    ...options,
  });
}

function batches(count: number, seed = 0): Batch[] {
  const generator = new Generator(seed);
  return Array.from({ length: count }, () => ({
    image: randn([4, 1, 4, 4], { generator }),
    label: tensor([0, 1, 1, 0], { dtype: 'int32' }),
  }));
}

/** The same images, one pixel of which is another number. */
function spoil({ image, label }: Batch, pixel: number): Batch {
  const pixels = Float32Array.from(image.data);
  pixels[5] = pixel;
  return { image: tensor(pixels, { shape: image.shape }), label };
}

/** The identity, with a gradient full of `value` in those calls that `isBad` says. */
function badGradient(name: string, value: number, isBad: () => boolean) {
  const op = defineOp<[NdArray], null, { shape: readonly number[]; bad: boolean }>(name, {
    forward: ([x]) => ({ y: x.withShape(x.shape), saved: { shape: x.shape, bad: isBad() } }),
    backward: (gradOut, { shape, bad }) => [
      bad
        ? NdArray.fromTypedArray(new Float32Array(gradOut.size).fill(value), shape, 'float32')
        : gradOut,
    ],
  });
  return (x: Tensor): Tensor => op([x], null);
}

/** Elements and states of a training, for a comparison by value. */
function frozenCopy({ tensors, metadata }: Snapshot) {
  const entries = Object.entries(tensors).map(([name, { array }]) => [
    name,
    Array.from(array.data),
  ]);
  const { generators, callbacks } = JSON.parse(metadata.training) as Record<string, unknown>;
  return {
    tensors: Object.fromEntries(entries) as Record<string, number[]>,
    generators,
    callbacks,
  };
}

/** Trains, and gives the error with the state after the last step that was taken. */
async function trainToError(model: Model, data: Batch[]) {
  const network = model.network;
  const states: ReturnType<typeof frozenCopy>[] = [];
  const keep = (context: { snapshot(): Snapshot }): void => {
    states.push(frozenCopy(context.snapshot()));
  };
  let snapshot: (() => Snapshot) | null = null;
  const error: Error = await model
    .train(1, data, {
      callbacks: [
        {
          onTrainBegin: (context) => {
            snapshot = () => context.snapshot();
            keep(context);
          },
          onStepEnd: keep,
        },
      ],
    })
    .then(
      () => new Error('the training did not end with an error'),
      (caught) => caught,
    );
  if (snapshot === null) throw error;
  const after = frozenCopy((snapshot as () => Snapshot)());
  return { error, before: states.at(-1), after, steps: states.length - 1, network };
}

describe('a batch whose loss is not finite', () => {
  test('changes nothing: weights, moments, running statistics, generators', () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 4 }),
        fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
        fc.boolean(),
        async (index, pixel, clips) => {
          const data = batches(5);
          data[index] = spoil(data[index], pixel);
          const model = createModel(createNetwork(), clips ? { clipNorm: 1 } : {});
          const { error, before, after, steps } = await trainToError(model, data);
          expect(error).toBeInstanceOf(TrainingError);
          expect(error.message).toMatch(
            new RegExp(`^epoch: 1 step: ${index + 1}\\. Invalid loss, terminating training: `),
          );
          expect(error.message).toContain('the step was not taken');
          expect(steps).toBe(index);
          expect(after).toEqual(before);
          const metrics = await model.eval(batches(2, 1));
          expect(Number.isFinite(metrics.loss)).toBe(true);
        },
      ),
      { numRuns: 12 },
    ));

  test('is refused also in the middle of an accumulation', () =>
    fc.assert(
      fc.asyncProperty(fc.nat({ max: 6 }), fc.integer({ min: 2, max: 4 }), async (index, size) => {
        const data = batches(7);
        data[index] = spoil(data[index], Number.NaN);
        const model = createModel(createNetwork(), { accumulationSteps: size });
        const { before, after } = await trainToError(model, data);
        const own = (state: typeof before): [string, number[]][] =>
          Object.entries(state?.tensors ?? {}).filter(([name]) => !name.startsWith('gradient.'));
        expect(own(after)).toEqual(own(before));
        expect(after.generators).toEqual(before?.generators);
      }),
      { numRuns: 8 },
    ));
});

describe('a batch whose gradient is not finite', () => {
  const cases = fc.record({
    index: fc.nat({ max: 4 }),
    value: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    clips: fc.boolean(),
    accumulationSteps: fc.integer({ min: 1, max: 3 }),
  });
  let count = 0;

  test('is refused in the same way, with and without clipNorm', () =>
    fc.assert(
      fc.asyncProperty(cases, async ({ index, value, clips, accumulationSteps }) => {
        let batch = -1;
        const between = badGradient(`badGradient${count++}`, value, () => batch === index);
        class Network extends Sequential {
          override forward(x: Tensor): Tensor {
            batch++;
            const [head, ...rest] = [...this.layers].reverse();
            const features = rest.reverse().reduce((y, layer) => layer.forward(y), x);
            return head.forward(between(features));
          }
        }
        const network = new Network(createNetwork().layers);
        const model = createModel(network, {
          accumulationSteps,
          ...(clips ? { clipNorm: 1 } : {}),
        });
        const { error, before, after, steps } = await trainToError(model, batches(5));
        expect(error).toBeInstanceOf(TrainingError);
        expect(error.message).toBe(
          `epoch: 1 step: ${index + 1}. Invalid gradient, terminating training: the gradient of ` +
            `'0.weight', '0.bias', '1.weight' and 1 more is not finite at learning rate ` +
            `${Math.fround(0.05)}. Use a smaller learning rate, a warm-up or clipNorm; the step was ` +
            'not taken, and checkpoints saved before are whole.',
        );
        expect(steps).toBe(index);
        const own = (state: typeof before): [string, number[]][] =>
          Object.entries(state?.tensors ?? {}).filter(([name]) => !name.startsWith('gradient.'));
        expect(own(after)).toEqual(own(before));
        expect(after.generators).toEqual(before?.generators);
      }),
      { numRuns: 15 },
    ));

  test('may be so for the scale of the loss, which is then named', async () => {
    const network = createNetwork();
    const { weight } = network.layers[5] as Linear;
    assign(weight, mul(weight.detach(), 100));
    const model = createModel(network, { lossScale: 2 ** 127 });
    const { error } = await trainToError(model, batches(1));
    expect(error.message).toMatch(
      /Invalid gradient.*at learning rate 0\.05\d* and loss scale 1\.7\d+e\+38\. Use a smaller learning rate or lossScale/,
    );
  });

  test('is looked for only where the optimizer trains', async () => {
    const network = createNetwork();
    const head = network.layers[5] as Linear;
    const between = badGradient('badBelowTheHead', Number.NaN, () => true);
    class Network extends Sequential {
      override forward(x: Tensor): Tensor {
        const [last, ...rest] = [...this.layers].reverse();
        return last.forward(between(rest.reverse().reduce((y, layer) => layer.forward(y), x)));
      }
    }
    const model = new Model({
      network: new Network(network.layers),
      lossFn: new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' }),
      optimizer: new Momentum(head.parameters(), { learningRate: 0.1, momentum: 0 }),
      clipNorm: 1,
    });
    const before = Array.from(head.weight.data);
    await model.train(1, batches(3));
    expect(Array.from(head.weight.data)).not.toEqual(before);
    expect(head.weight.data.every(Number.isFinite)).toBe(true);
  });
});

test('a batch that makes running statistics infinite is refused, though its loss is finite', async () => {
  const data = batches(3);
  data[1] = spoil(data[1], 1e30);
  const model = createModel(createNetwork());
  const { error, before, after } = await trainToError(model, data);
  expect(error.message).toMatch(
    /^epoch: 1 step: 2\. Invalid running statistics, terminating training: '1\.running_var' is not finite after images \[4, 1, 4, 4\]\. Look for huge values in the images/,
  );
  expect(after).toEqual(before);
});

test('a buffer that is infinite for a reason does not matter', async () => {
  class Masked extends Sequential {
    readonly mask = this.registerBuffer('mask', tensor([0, Number.NEGATIVE_INFINITY]));
  }
  const result = await createModel(new Masked(createNetwork().layers)).train(1, batches(2));
  expect(result.globalStep).toBe(2);
});

test('a batch that fails in another way leaves the network as it was, too', async () => {
  const bad: [Batch, RegExp][] = [
    [{ ...batches(1)[0], label: tensor([0, 1, 2, 0], { dtype: 'int32' }) }, /label 2 of sample 2/],
    [
      { ...batches(1)[0], label: tensor([-1, 1, 1, 0], { dtype: 'int32' }) },
      /label -1 of sample 0/,
    ],
    [
      { image: tensor(new Float32Array(0), { shape: [0, 1, 4, 4] }), label: tensor([]) },
      /Model\.train: a batch of shape \[0, 1, 4, 4\] has no samples; leave it out/,
    ],
  ];
  for (const [batch, message] of bad) {
    const { error, before, after } = await trainToError(createModel(createNetwork()), [
      ...batches(2),
      batch,
    ]);
    expect(error.message).toMatch(message);
    expect(after).toEqual(before);
  }
  const short = createNetwork();
  const optimizer = new Momentum(short.parameters(), { learningRate: [0.1, 0.1], momentum: 0.9 });
  const { error, before, after } = await trainToError(
    createModel(short, { optimizer }),
    batches(3),
  );
  expect(error.message).toMatch(/past the end of the learning rates/);
  expect(after).toEqual(before);
});

describe('an evaluation', () => {
  test('measures what is not finite as NaN, and does not ask for a lossFn that is there', async () => {
    const nan = await createModel(createNetwork()).eval([spoil(batches(1)[0], Number.NaN)]);
    expect(nan.loss).toBeNaN();
    const network = createNetwork();
    const [weight] = network.parameters();
    assign(weight, full(weight.shape, Number.NaN));
    const metrics = await createModel(network).eval(batches(2));
    expect(metrics.loss).toBeNaN();
    expect(metrics.accuracy).toBe(0);
    await expect(new Model({ network, metrics: ['loss'] }).eval(batches(1))).rejects.toThrow(
      'Loss: there is no loss function; give the Model a lossFn, or leave the metric out',
    );
  });

  test('and a training need a loss of one number', async () => {
    const model = createModel(createNetwork(), {
      lossFn: new SoftmaxCrossEntropyWithLogits({ sparse: true }),
    });
    const message =
      /Model: the loss must be one number, got shape \[4\]; give the loss function reduction: 'mean'/;
    await expect(model.eval(batches(1))).rejects.toThrow(message);
    await expect(model.train(1, batches(1))).rejects.toThrow(message);
    const sums = createModel(createNetwork(), { lossFn: { forward: (x) => sum(mul(x, x)) } });
    expect((await sums.train(1, batches(1))).globalStep).toBe(1);
  });
});
