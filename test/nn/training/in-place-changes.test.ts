import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Adam,
  AdamW,
  BatchNorm2d,
  Conv2d,
  clipGradNorm,
  decodeCheckpoint,
  encodeCheckpoint,
  loadCheckpoint,
  loadParamIntoNet,
  type Metric,
  Model,
  Momentum,
  type Optimizer,
  RMSProp,
  Sequential,
  SGD,
  type Snapshot,
  saveCheckpoint,
} from '@firelight/nn';
import {
  AutogradError,
  Generator,
  type Kernels,
  mean,
  mul,
  NdArray,
  ReleasedError,
  randn,
  setBackend,
  sub,
  type Tensor,
  tensor,
} from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KERNELS, ownKernels } from '../../helpers/own-kernels.ts';

// Everything that writes into parameters and statistics, beside graphs and arrays that hold them.

const CHANGED = /was changed in place after the forward pass/;
const networkOf = (seed: number): Sequential => {
  const generator = new Generator(seed);
  return new Sequential([
    new Conv2d({ inChannels: 3, outChannels: 4, kernelSize: 2, generator }),
    new Conv2d({ inChannels: 4, outChannels: 3, kernelSize: 1, padding: 1, generator }),
  ]);
};
const x = randn([5, 3, 2, 2], { generator: new Generator(1) });
const lossOf = (network: Sequential): Tensor => {
  const y = network.forward(x);
  return mean(mul(y, y));
};

/** The arrays among the arguments of a kernel. */
function arraysIn(value: unknown): NdArray[] {
  if (value instanceof NdArray) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(arraysIn);
}

const OPTIMIZERS: Readonly<Record<string, (parameters: Tensor[]) => Optimizer>> = {
  SGD: (parameters) => new SGD(parameters, { learningRate: 0.1 }),
  Momentum: (parameters) => new Momentum(parameters, { learningRate: 0.1, momentum: 0.9 }),
  Adam: (parameters) => new Adam(parameters, { learningRate: 0.1 }),
  AdamW: (parameters) => new AdamW(parameters, { learningRate: 0.1 }),
  RMSProp: (parameters) => new RMSProp(parameters, { learningRate: 0.1 }),
};

const CHANGES: Readonly<Record<string, (network: Sequential) => void>> = {
  ...Object.fromEntries(
    Object.entries(OPTIMIZERS).map(([name, create]) => [
      `a step of ${name}`,
      (network: Sequential) => {
        const optimizer = create(network.parameters());
        lossOf(network).backward();
        optimizer.step();
      },
    ]),
  ),
  loadStateDict: (network) => void network.loadStateDict(networkOf(7).stateDict()),
  loadParamIntoNet: (network) => void loadParamIntoNet(network, networkOf(7).stateDict()),
};

describe.each(['reference', 'wasm'])('on %s', (backend) => {
  beforeAll(() => setBackend(backend));
  afterAll(() => setBackend('wasm'));

  test.each(Object.entries(CHANGES))('%s between forward and backward is refused', (_, change) => {
    const network = networkOf(0);
    const before = network.parameters().map(({ data }) => data);
    const loss = lossOf(network);
    change(network);
    expect(() => loss.backward()).toThrow(AutogradError);
    expect(network.parameters()[0].data).not.toEqual(before[0]);
    expect(before).toEqual(
      networkOf(0)
        .parameters()
        .map(({ data }) => data),
    );
    lossOf(network).backward();
  });

  test('every kernel that writes into what it is given counts the change', async () => {
    const originals = KERNELS.map((name) => {
      const own = ownKernels(backend, name) as Kernels; // Both backends have all of them.
      return { name, own, kernel: own[name] };
    });
    const changing = new Set<string>();
    for (const { name, own, kernel } of originals) {
      const watched = (...values: unknown[]): unknown => {
        const before = arraysIn(values).map((array) => ({
          array,
          elements: array.data.slice(),
          version: array.storage.version,
        }));
        const result = (kernel as (...values: unknown[]) => unknown)(...values);
        for (const { array, elements, version } of before) {
          if (elements.every((element, i) => Object.is(element, array.data[i]))) continue;
          changing.add(name);
          expect([name, array.storage.version > version]).toEqual([name, true]);
        }
        return result;
      };
      Object.assign(own, { [name]: watched });
    }
    try {
      await setBackend(backend);
      for (const create of Object.values(OPTIMIZERS)) {
        const network = networkOf(0);
        const optimizer = create(network.parameters());
        for (let step = 0; step < 2; step++) {
          lossOf(network).backward();
          optimizer.step();
        }
      }
      const norm = new BatchNorm2d({ numFeatures: 3 });
      mean(norm.forward(x)).backward();
    } finally {
      for (const { name, own, kernel } of originals) Object.assign(own, { [name]: kernel });
      await setBackend(backend);
    }
    expect([...changing]).toEqual(expect.arrayContaining(['blend', 'momentumStep']));
  });

  test('two losses and one step: both backward first, or the second is refused', () => {
    const [generator, discriminator] = [networkOf(0), networkOf(1)];
    const own = new Adam(generator.parameters(), { learningRate: 0.1 });
    const others = new Adam(discriminator.parameters(), { learningRate: 0.1 });
    const losses = (): Tensor[] => {
      const fake = generator.forward(x);
      const judged = mean(discriminator.forward(fake));
      return [judged, mean(sub(1, discriminator.forward(fake.detach())))];
    };
    const [ofGenerator, ofDiscriminator] = losses();
    ofDiscriminator.backward();
    others.step();
    expect(() => ofGenerator.backward()).toThrow(
      /backward of conv2d: its input 'weight' .*changed/,
    );
    const [first, second] = losses();
    first.backward();
    second.backward();
    others.step();
    own.step();
  });
});

test('a batch norm in training refuses the backward pass of an evaluation before it', () => {
  const norm = new BatchNorm2d({ numFeatures: 2 });
  const images = randn([3, 2, 2, 2], { requiresGrad: true });
  norm.eval();
  const frozen = mean(mul(norm.forward(images), 2));
  norm.train();
  norm.forward(images);
  expect(() => frozen.backward()).toThrow(CHANGED);
});

test('clipped gradients refuse graphs that were computed from them', () => {
  const network = networkOf(0);
  lossOf(network).backward();
  const grad = network.parameters()[0].grad as Tensor;
  const scale = tensor(2, { requiresGrad: true });
  const penalty = mean(mul(grad, scale));
  clipGradNorm(network.parameters(), 1e-3);
  expect(() => penalty.backward()).toThrow(CHANGED);
});

test('a gradient that was kept is released by zeroGrad and says so; its data stay', () => {
  const network = networkOf(0);
  const optimizer = new SGD(network.parameters(), { learningRate: 0.1 });
  lossOf(network).backward();
  const grad = network.parameters()[0].grad as Tensor;
  const { data } = grad;
  const before = Array.from(data);
  optimizer.zeroGrad();
  lossOf(network).backward();
  expect(() => grad.toArray()).toThrow(ReleasedError);
  expect(Array.from(data)).toEqual(before);
});

describe('what is kept is what was', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'firelight-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('in a checkpoint, when it was asked for', async () => {
    const network = networkOf(0);
    const saving = saveCheckpoint(network, join(folder, 'early'));
    const encoding = encodeCheckpoint({ tensors: network.stateDict(), metadata: {} });
    network.loadStateDict(networkOf(7).stateDict());
    for (const { tensors } of [
      await loadCheckpoint(await saving),
      await decodeCheckpoint(await encoding, 'early'),
    ]) {
      for (const [name, expected] of Object.entries(networkOf(0).stateDict())) {
        expect(tensors[name].data).toEqual(expected.data);
      }
    }
  });

  test('by a metric that reads every batch, and of predictions', async () => {
    const kept: ArrayLike<number>[] = [];
    const copies: number[][] = [];
    const keeper: Metric = {
      reset() {},
      update({ data }) {
        kept.push(data);
        copies.push(Array.from(data));
      },
      value: () => kept.length,
    };
    const network = networkOf(0);
    const model = new Model({ network, metrics: { keeper } });
    const label = tensor([0, 1, 0, 1, 0], { dtype: 'int32' });
    const batches = [1, 2, 3, 4].map((factor) => ({ image: mul(x, factor), label }));
    expect(await model.eval(batches)).toEqual({ keeper: 4 });
    for (const { image } of batches) keeper.update(model.predict(image), label, 0);
    expect(kept.map((data) => Array.from(data))).toEqual(copies);
    expect(copies.slice(0, 4)).toEqual(copies.slice(4));
  });

  test('in a checkpoint that two trainings go on from', async () => {
    const batches = [0, 1, 2, 3].map((seed) => ({
      image: randn([4, 1, 4, 4], { generator: new Generator(seed) }),
      label: tensor([0, 1, 1, 0], { dtype: 'int32' }),
    }));
    const train = async (resumeFrom?: Awaited<ReturnType<typeof decodeCheckpoint>>) => {
      const generator = new Generator(0);
      const network = new Sequential([
        new Conv2d({ inChannels: 1, outChannels: 2, kernelSize: 4, generator }),
      ]);
      const snapshots: Promise<Uint8Array>[] = [];
      const model = new Model({
        network,
        lossFn: { forward: (y) => mean(mul(y, y)) },
        optimizer: new Momentum(network.parameters(), { learningRate: 0.1, momentum: 0.9 }),
        accumulationSteps: 2,
      });
      await model.train(1, batches, {
        callbacks: [
          { onStepEnd: (context) => void snapshots.push(encodeCheckpoint(context.snapshot())) },
        ],
        ...(resumeFrom === undefined ? {} : { resumeFrom }),
      });
      return { weights: network.parameters().map(({ data }) => Array.from(data)), snapshots };
    };
    const { weights, snapshots } = await train();
    const checkpoint = await decodeCheckpoint(await snapshots[0], 'first');
    const gradients = (snapshot: Snapshot) =>
      Object.entries(snapshot.tensors)
        .filter(([name]) => name.startsWith('gradient.'))
        .map(([, gradient]) => Array.from(gradient.data));
    const before = gradients(checkpoint);
    expect(before).toHaveLength(2);
    expect((await train(checkpoint)).weights).toEqual(weights);
    expect(gradients(checkpoint)).toEqual(before);
    expect((await train(checkpoint)).weights).toEqual(weights);
  });
});
