import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Adam,
  BatchNorm2d,
  Conv2d,
  clipGradNorm,
  Linear,
  loadCheckpoint,
  loadParamIntoNet,
  Model,
  ModelCheckpoint,
  Module,
  Momentum,
  MSELoss,
  ReLU,
  Sequential,
  summary,
  WeightAverage,
} from '@firelight/nn';
import {
  cast,
  Generator,
  matmul,
  randn,
  relu,
  type Tensor,
  tensor,
  transpose,
  ValueError,
} from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { watchForward } from '../../../packages/nn/src/module/watch.ts';

const linear = (seed = 0, bias = true): Linear =>
  new Linear({ inFeatures: 3, outFeatures: 3, bias, generator: new Generator(seed) });

/** A layer before and after another one: two names of one layer. */
function tied(seed = 0): Sequential {
  const shared = linear(seed);
  return new Sequential([
    ['first', shared],
    new ReLU(),
    ['other', linear(seed + 1)],
    ['last', shared],
  ]);
}

/** x · W · Wᵀ: two layers that share one tensor, but not the bias. */
class Autoencoder extends Module {
  readonly encoder = this.registerModule('encoder', linear(3));
  readonly decoder = this.registerModule('decoder', new Decoder(this.encoder.weight));

  forward(x: Tensor): Tensor {
    return this.decoder.forward(relu(this.encoder.forward(x)));
  }
}

class Decoder extends Module {
  readonly weight: Tensor;

  constructor(weight: Tensor) {
    super();
    this.weight = this.registerParameter('weight', weight);
  }

  forward(x: Tensor): Tensor {
    return matmul(x, this.weight);
  }
}

const values = (module: Module): number[][] =>
  module.parameters().map(({ data }) => Array.from(data));

describe('a layer under two names', () => {
  test('is one module with one set of parameters, and keeps both names in the state', () => {
    const network = tied();
    expect(network.namedParameters().map(([name]) => name)).toEqual([
      'first.weight',
      'first.bias',
      'other.weight',
      'other.bias',
    ]);
    expect(network.parameters()).toHaveLength(4);
    expect(network.namedModules().map(([name]) => name)).toEqual(['', 'first', '1', 'other']);
    const state = network.stateDict();
    expect(Object.keys(state)).toEqual([
      'first.weight',
      'first.bias',
      'other.weight',
      'other.bias',
      'last.weight',
      'last.bias',
    ]);
    expect(state['last.weight'].array).toBe(state['first.weight'].array);
    const norm = new BatchNorm2d({ numFeatures: 1 });
    expect(new Sequential([norm, norm]).namedBuffers().map(([name]) => name)).toEqual([
      '0.running_mean',
      '0.running_var',
    ]);
  });

  test('is loaded from either name or both, but not from two that differ', () => {
    const source = tied(5);
    const state = source.stateDict();
    const { 'first.weight': first, 'last.weight': last, ...rest } = state;
    for (const some of [
      state,
      { ...rest, 'first.weight': first },
      { ...rest, 'last.weight': last },
    ]) {
      const network = tied();
      expect(network.loadStateDict(some)).toEqual({ missing: [], unexpected: [] });
      expect(values(network)).toEqual(values(source));
    }
    // Of two dtypes, but the same numbers.
    const half = cast(first, 'float16');
    const mixed = tied();
    mixed.loadStateDict({ ...state, 'first.weight': half, 'last.weight': cast(half, 'float64') });
    expect((mixed.layers[0] as Linear).weight.toArray()).toEqual(half.toArray());
    const network = tied();
    const before = values(network);
    expect(() => network.loadStateDict(rest)).toThrow(/missing: 'first\.weight', 'last\.weight'/);
    const different = { ...state, 'last.weight': randn([3, 3], { generator: new Generator(1) }) };
    expect(() => network.loadStateDict(different)).toThrow(
      "loadStateDict: 'first.weight' and 'last.weight' are names of one tensor here, but their " +
        'values differ; leave one of them out',
    );
    expect(values(network)).toEqual(before);
  });

  test('takes one step of an optimizer, as two layers with the same weights together would', () => {
    const optimizers = [
      (parameters: Tensor[]) => new Momentum(parameters, { learningRate: 0.5, momentum: 0.9 }),
      (parameters: Tensor[]) => new Adam(parameters, { learningRate: 0.5, weightDecay: 0.1 }),
    ];
    for (const create of optimizers) {
      const network = tied();
      const optimizer = create(network.parameters());
      expect(optimizer.parameters).toHaveLength(4);
      const x = randn([4, 3], { generator: new Generator(1) });
      network.forward(x).backward(randn([4, 3], { generator: new Generator(2) }));
      const { weight } = network.layers[0] as Linear;
      const [before, grad] = [Array.from(weight.data), Array.from((weight.grad as Tensor).data)];
      const alone = tensor(Float32Array.from(before), { shape: [3, 3], requiresGrad: true });
      alone.grad = tensor(Float32Array.from(grad), { shape: [3, 3] });
      create([alone]).step();
      optimizer.step();
      expect(Array.from(weight.data)).toEqual(Array.from(alone.data));
    }
  });

  test('counts once in the norm of the gradients', () => {
    const { weight } = linear();
    weight.grad = tensor([3, 0, 0, 0, 4, 0, 0, 0, 0], { shape: [3, 3] });
    expect(clipGradNorm([weight, weight], 1)).toBe(5);
    expect(weight.grad.data[4]).toBeCloseTo(0.8, 6);
  });

  test('is averaged once, and put back after an evaluation', async () => {
    const x = randn([4, 3], { generator: new Generator(1) });
    const data = [[x, randn([4, 3], { generator: new Generator(2) })]] as const;
    const trained = async (averageDecay?: number): Promise<number[][][]> => {
      const network = tied();
      const steps: number[][][] = [];
      const optimizer = new Momentum(network.parameters(), { learningRate: 0.1, momentum: 0 });
      const parts = { network, lossFn: new MSELoss(), optimizer, metrics: ['loss'] } as const;
      const callbacks = [{ onStepEnd: () => void steps.push(values(network)) }];
      const options = { callbacks, validation: data };
      await new Model(averageDecay === undefined ? parts : { ...parts, averageDecay }).train(
        3,
        data,
        options,
      );
      return steps;
    };
    expect(await trained(0.75)).toEqual(await trained());
    const average = new WeightAverage(tied(), { decay: 0.5 });
    // The average and the weight, each under all names.
    expect(Object.keys(average.stateDict())).toHaveLength(2 * 6);
  });

  test('is counted once in a summary, its multiplications in each call', () => {
    const found = summary(tied(), [2, 3]);
    expect(found.layers.map(({ name, parameters, macs }) => [name, parameters, macs])).toEqual([
      ['first', 12, 18],
      ['1', 0, 0],
      ['other', 12, 18],
      ['first', 0, 18],
    ]);
    expect(found.parameters).toBe(24);
    expect(found.macs).toBe(3 * 18);
    const calls: string[] = [];
    watchForward(tied(), randn([1, 3]), ({ name }) => calls.push(name));
    expect(calls).toEqual(['first', '1', 'other', 'first', '']);
  });

  test('goes through a checkpoint of a training, and on exactly', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'firelight-shared-'));
    try {
      const create = (seed: number) => {
        const network = tied(seed);
        const optimizer = new Adam(network.parameters(), { learningRate: 0.05 });
        return {
          network,
          model: new Model({ network, optimizer, lossFn: new MSELoss(), metrics: ['loss'] }),
        };
      };
      const [x, y] = [1, 2].map((seed) => randn([4, 3], { generator: new Generator(seed) }));
      const data = [
        [x, y],
        [y, x],
      ] as const;
      const whole = create(0);
      const callbacks = [new ModelCheckpoint({ directory, saveCheckpointSteps: 3 })];
      await whole.model.train(2, data, { callbacks });
      const resumeFrom = await loadCheckpoint(join(directory, 'CKP-2_1.safetensors'));
      const second = create(7);
      await second.model.train(2, data, { resumeFrom });
      expect(values(second.network)).toEqual(values(whole.network));
      const loaded = tied(9);
      loadParamIntoNet(loaded, await loadCheckpoint(join(directory, 'CKP-2_2.safetensors')));
      expect(values(loaded)).toEqual(values(whole.network));
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('a tensor in two layers', () => {
  test('is one parameter under two names', () => {
    const network = new Autoencoder();
    expect(network.namedParameters().map(([name]) => name)).toEqual([
      'encoder.weight',
      'encoder.bias',
    ]);
    expect(Object.keys(network.stateDict())).toEqual([
      'encoder.weight',
      'encoder.bias',
      'decoder.weight',
    ]);
    const found = summary(network, [1, 3]);
    expect(found.parameters).toBe(12);
    expect(found.layers.map(({ name, parameters }) => [name, parameters])).toEqual([
      ['encoder', 12],
      ['decoder', 0],
    ]);
  });

  test('has the gradient of both uses, whatever the order of registration', () =>
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const network = new Autoencoder();
        const x = randn([2, 3], { generator: new Generator(seed) });
        network.forward(x).backward(randn([2, 3], { generator: new Generator(seed + 1) }));
        const [weight] = network.parameters();
        const copy = linear(3);
        const back = linear(3, false);
        const y = matmul(relu(copy.forward(x)), back.weight);
        y.backward(randn([2, 3], { generator: new Generator(seed + 1) }));
        const expected = (copy.weight.grad as Tensor).data.map(
          (g, i) => g + (back.weight.grad as Tensor).data[i],
        );
        expected.forEach((value, i) => {
          expect((weight.grad as Tensor).data[i]).toBeCloseTo(value, 4);
        });
        expect(transpose(weight).shape).toEqual([3, 3]);
      }),
      { numRuns: 10 },
    ));
});

test('a module that would contain itself is refused', () => {
  class Nest extends Module {
    add(name: string, module: Module): void {
      this.registerModule(name, module);
    }
    forward(x: Tensor): Tensor {
      return x;
    }
  }
  const [outer, middle, inner] = [new Nest(), new Nest(), new Nest()];
  outer.add('middle', middle);
  middle.add('inner', inner);
  middle.add('again', inner);
  for (const [parent, child] of [
    [inner, outer],
    [inner, middle],
    [outer, outer],
  ]) {
    expect(() => parent.add('self', child)).toThrow(ValueError);
    expect(() => parent.add('self', child)).toThrow(
      "Nest: 'self' cannot be registered; it is or holds the module that it would be a part of",
    );
  }
  expect(outer.namedModules().map(([name]) => name)).toEqual(['', 'middle', 'middle.inner']);
});

test('weight decay leaves a shared scale of batch norm alone once', () => {
  const norm = new BatchNorm2d({ numFeatures: 2 });
  const network = new Sequential([
    norm,
    new Conv2d({ inChannels: 2, outChannels: 2, kernelSize: 1, bias: false }),
    norm,
  ]);
  const optimizer = new Momentum(network.parameters(), {
    learningRate: 1,
    momentum: 0,
    weightDecay: 0.5,
  });
  for (const each of network.parameters())
    each.grad = tensor(new Float32Array(each.size), { shape: each.shape });
  const before = Array.from((network.layers[1] as Conv2d).weight.data);
  optimizer.step();
  expect(Array.from(norm.weight!.data)).toEqual([1, 1]);
  expect(Array.from((network.layers[1] as Conv2d).weight.data)).toEqual(before.map((w) => w / 2));
});
