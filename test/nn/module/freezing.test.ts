import {
  Adam,
  AdamW,
  type BatchNorm2d,
  Linear,
  Model,
  type Module,
  Momentum,
  type Optimizer,
  RMSProp,
  SGD,
  SoftmaxCrossEntropyWithLogits,
  summary,
} from '@firelight/nn';
import { Generator, randn, type Tensor, tensor, zeros } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFeaturesAndHead as create } from './features-and-head.ts';

const at = (network: Module, name: string): Module => {
  const found = network.namedModules().find(([each]) => each === name);
  if (found === undefined) throw new Error(`no module ${name}`);
  return found[1];
};

const modes = (network: Module): boolean[] =>
  network.namedModules().map(([, { training }]) => training);

const state = (module: Module): number[][] =>
  Object.values(module.stateDict()).map(({ array }) => Array.from(array.data));

const data = (seed = 0): { image: Tensor; label: Tensor }[] => {
  const generator = new Generator(seed);
  return [0, 1, 2].map(() => ({
    image: randn([4, 1, 4, 4], { generator }),
    label: tensor([0, 1, 1, 0], { dtype: 'int32' }),
  }));
};

const OPTIMIZERS: Record<string, (network: Module) => Optimizer> = {
  Momentum: (network: Module) =>
    new Momentum(network.parameters(), { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 }),
  SGD: (network: Module) =>
    new SGD(network.parameters(), { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 }),
  Adam: (network: Module) =>
    new Adam(network.parameters(), { learningRate: 0.1, weightDecay: 0.1 }),
  AdamW: (network: Module) => new AdamW(network.parameters(), { learningRate: 0.1 }),
  RMSProp: (network: Module) =>
    new RMSProp(network.parameters(), { learningRate: 0.1, weightDecay: 0.1 }),
};

const modelOf = (network: Module, create_ = OPTIMIZERS.Momentum): Model =>
  new Model({
    network,
    lossFn: new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' }),
    optimizer: create_(network),
    metrics: ['accuracy', 'loss'],
  });

describe('freeze', () => {
  test.each(Object.entries(OPTIMIZERS))(
    'keeps %s from training what is frozen',
    async (_, create_) => {
      for (const isFirst of [true, false]) {
        const network = create();
        if (isFirst) at(network, 'features').freeze();
        const model = modelOf(network, create_);
        if (!isFirst) at(network, 'features').freeze();
        const [features, head] = ['features', 'head'].map((name) => state(at(network, name)));
        await model.train(2, data());
        expect(state(at(network, 'features'))).toEqual(features);
        expect(state(at(network, 'head'))).not.toEqual(head);
        for (const { grad } of at(network, 'features').parameters()) expect(grad).toBeNull();
      }
    },
  );

  test('holds against train, as evaluation mode, until unfreeze', () => {
    const network = create();
    const norm = at(network, 'features.norm');
    expect(at(network, 'features').freeze()).toBe(at(network, 'features'));
    network.train();
    norm.training = true;
    expect(modes(network)).toEqual([true, false, false, false, false, false, true, true, true]);
    at(network, 'features').unfreeze();
    expect(modes(network)).not.toContain(false);
    norm.freeze();
    network.eval();
    norm.unfreeze();
    expect(modes(network)).not.toContain(true);
  });

  test('needs no gradient, and is trained again after unfreeze', async () => {
    const network = create();
    const features = at(network, 'features');
    const model = modelOf(network);
    await model.train(1, data());
    expect(features.parameters()[0].grad).not.toBeNull();
    features.freeze();
    for (const { grad, requiresGrad } of features.parameters()) {
      expect([grad, requiresGrad]).toEqual([null, false]);
    }
    expect(features.forward(data()[0].image).requiresGrad).toBe(false);
    const frozen = state(features);
    await model.train(1, data());
    expect(state(features)).toEqual(frozen);
    features.unfreeze();
    await model.train(1, data());
    expect(state(features)).not.toEqual(frozen);
  });

  test('takes a gradient that was on its way when it came', () => {
    const network = create();
    const loss = network.forward(data()[0].image);
    at(network, 'features').freeze();
    loss.backward(randn([4, 2], { generator: new Generator(1) }));
    for (const { grad } of at(network, 'features').parameters()) expect(grad).toBeNull();
    for (const { grad } of at(network, 'head').parameters()) expect(grad).not.toBeNull();
  });

  test('is respected by optimizers also where a gradient is left', () => {
    for (const create_ of Object.values(OPTIMIZERS)) {
      const network = create();
      const optimizer = create_(network);
      network.forward(data()[0].image).backward(randn([4, 2], { generator: new Generator(1) }));
      const [weight, bias] = network.parameters();
      weight.requiresGrad = false;
      const before = [weight, bias].map((each) => Array.from(each.data));
      optimizer.step();
      expect(Array.from(weight.data)).toEqual(before[0]);
      expect(Array.from(bias.data)).not.toEqual(before[1]);
    }
  });

  test('of one module holds a shared parameter until all have let go', () => {
    const shared = new Linear({ inFeatures: 2, outFeatures: 2 });
    class Copy extends Linear {
      constructor() {
        super({ inFeatures: 2, outFeatures: 2 });
        this.registerParameter('shared', shared.weight);
      }
    }
    const copy = new Copy();
    shared.freeze();
    shared.freeze();
    copy.freeze();
    shared.unfreeze();
    expect(shared.weight.requiresGrad).toBe(false);
    expect(shared.bias?.requiresGrad).toBe(true);
    copy.unfreeze();
    expect(shared.weight.requiresGrad).toBe(true);
    shared.freeze();
    // A frozen parameter may be shared; a tensor that is none may not.
    expect(() => new Copy()).not.toThrow();
  });

  test('keeps names, state and the optimizer as they are', () => {
    const network = create();
    const names = network.namedParameters().map(([name]) => name);
    network.freeze();
    expect(network.namedParameters().map(([name]) => name)).toEqual(names);
    expect(OPTIMIZERS.Adam(network).parameters).toHaveLength(names.length);
    expect(() => new SGD([zeros([2])], { learningRate: 1 })).toThrow(/lacks requiresGrad/);
    const other = create(1);
    network.loadStateDict(other.stateDict());
    expect(state(network)).toEqual(state(other));
  });

  test('is seen in the summary', () => {
    const network = create();
    const all = summary(network, [1, 1, 4, 4]);
    expect(all.trainable).toBe(all.parameters);
    expect(String(all)).not.toContain('trainable');
    at(network, 'features').freeze();
    const found = summary(network, [1, 1, 4, 4]);
    expect([found.trainable, found.parameters]).toEqual([26, 62]);
    expect(found.layers[0]).toMatchObject({ parameters: 30, trainable: 0 });
    expect(String(found)).toContain('0 trainable / 30');
    expect(String(found)).toContain('26 trainable / 62 parameters');
  });
});

describe('the modes of modules', () => {
  /** A network whose modules were switched at random. */
  const switched = fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }).map((flags) => {
    const network = create();
    network.namedModules().forEach(([, module], i) => {
      module.training = flags[i];
    });
    return network;
  });
  const failing = [{ image: zeros([1, 1, 9, 9]), label: tensor([0], { dtype: 'int32' }) }];

  test('are the same after predict, eval, train and summary, and after their errors', () =>
    fc.assert(
      fc.asyncProperty(switched, async (network) => {
        const before = modes(network);
        const model = modelOf(network);
        model.predict(data()[0].image);
        expect(modes(network)).toEqual(before);
        await model.eval(data());
        expect(modes(network)).toEqual(before);
        await model.train(1, data(), { validation: data() });
        expect(modes(network)).toEqual(before);
        expect(() => model.predict(failing[0].image)).toThrow();
        expect(() => summary(network, [1, 1, 9, 9])).toThrow();
        await expect(model.eval(failing)).rejects.toThrow();
        await expect(model.train(1, failing)).rejects.toThrow();
        await expect(model.train(1, data(), { validation: failing })).rejects.toThrow();
        const callback = {
          onStepEnd: () => {
            network.eval();
            throw new Error('on purpose');
          },
        };
        await expect(model.train(1, data(), { callbacks: [callback] })).rejects.toThrow(
          'on purpose',
        );
        expect(modes(network)).toEqual(before);
      }),
      { numRuns: 8 },
    ));

  test('are kept in a training: a batch norm in evaluation mode keeps its statistics', async () => {
    const network = create();
    const norm = at(network, 'features.norm') as BatchNorm2d;
    norm.eval();
    const seen: boolean[][] = [];
    const callback = { onStepEnd: () => void seen.push(modes(network)) };
    await modelOf(network).train(2, data(), { validation: data(), callbacks: [callback] });
    expect(Array.from(norm.runningMean.data)).toEqual([0, 0, 0]);
    for (const each of seen) expect(each.filter((mode) => !mode)).toHaveLength(1);
  });

  test('are training where the whole network was in evaluation mode, but for what is frozen', async () => {
    const network = create().eval();
    at(network, 'features.norm').freeze();
    const seen: boolean[][] = [];
    const callback = { onStepEnd: () => void seen.push(modes(network)) };
    await modelOf(network).train(1, data(), { callbacks: [callback] });
    for (const each of seen) expect(each.filter((mode) => !mode)).toHaveLength(1);
    expect(modes(network)).not.toContain(true);
  });
});
