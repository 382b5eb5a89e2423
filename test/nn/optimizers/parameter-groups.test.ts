import {
  Adam,
  AdamW,
  type LearningRate,
  type Module,
  Momentum,
  type Optimizer,
  type OptimizerOptions,
  type ParameterGroup,
  parameterGroups,
  RMSProp,
  Sequential,
  SGD,
  stepDecay,
} from '@firelight/nn';
import { Generator, memory, type Tensor, tensor, ValueError } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNetwork } from '../training/blobs.ts';
import { expectExactResume, resume, snapshotsOf } from '../training/exact-resume.ts';

const OPTIMIZERS: Record<
  string,
  (groups: readonly ParameterGroup[], options: OptimizerOptions) => Optimizer
> = {
  Momentum: (groups, options) => new Momentum(groups, { ...options, momentum: 0.9 }),
  SGD: (groups, options) => new SGD(groups, options),
  Adam: (groups, options) => new Adam(groups, options),
  AdamW: (groups, options) => new AdamW(groups, options),
  RMSProp: (groups, options) => new RMSProp(groups, { ...options, momentum: 0.5 }),
};

const namesIn = (network: Module, { parameters }: ParameterGroup): string[] =>
  network.namedParameters().flatMap(([name, each]) => (parameters.includes(each) ? [name] : []));

describe('parameterGroups', () => {
  const network = createNetwork();
  const all = network.namedParameters().map(([name]) => name);

  test('gives each parameter to the first pattern that names it, and the rest to a last group', () => {
    const learningRate = stepDecay({ learningRate: 0.1, stepSize: 3, gamma: 0.5 });
    const groups = parameterGroups(network, [
      { pattern: '5', learningRateScale: 10 },
      { pattern: '**.bias', weightDecay: 0, learningRate, gradCentralization: true },
    ]);
    expect(groups.map((group) => namesIn(network, group))).toEqual([
      ['5.weight', '5.bias'],
      ['0.bias', '1.bias'],
      ['0.weight', '1.weight'],
    ]);
    expect(groups.map(({ parameters: _, ...settings }) => settings)).toEqual([
      { learningRateScale: 10 },
      { weightDecay: 0, learningRate, gradCentralization: true },
      {},
    ]);
    expect(parameterGroups(network, [])).toEqual([{ parameters: network.parameters() }]);
    expect(parameterGroups(network, [{ pattern: /./ }])).toHaveLength(1);
    expect(new SGD(groups, { learningRate: 1 }).parameters).toHaveLength(all.length);
  });

  test('refuses patterns that name nothing, or nothing that is left', () => {
    const call = (...patterns: (string | RegExp)[]) =>
      parameterGroups(
        network,
        patterns.map((pattern) => ({ pattern })),
      );
    expect(() => call('5.wieght')).toThrow(ValueError);
    expect(() => call('5.wieght')).toThrow(
      "parameters: Sequential has no parameter '5.wieght'; near are '5.weight', ",
    );
    expect(() => call('**.bias', '*.bias')).toThrow(
      "parameterGroups: all that '*.bias' names belongs to patterns before it; put it first, or",
    );
    expect(() => call('5', /^5/)).toThrow('parameterGroups: all that /^5/ names belongs to');
    expect(() => parameterGroups(network, { pattern: '5' } as never)).toThrow(
      'parameterGroups: groups must be a list, got an object',
    );
    expect(() => new SGD([{ pattern: '5' }] as never, { learningRate: 1 })).toThrow(
      'SGD: a pattern needs the network whose parameters it names; pass parameterGroups(',
    );
    const wrong = parameterGroups(network, [{ pattern: '5', learningRateScale: -1 }]);
    expect(() => new SGD(wrong, { learningRate: 1 })).toThrow(
      'SGD: learningRateScale must be a number ≥ 0, got -1',
    );
  });
});

describe('learningRateScale', () => {
  const STEPS = 3;
  const parameter = (seed: number): Tensor =>
    tensor(new Generator(seed).normal(4), { requiresGrad: true });
  /** The bits after each step. */
  const trajectory = (p: Tensor, optimizer: Optimizer): number[][] =>
    Array.from({ length: STEPS }, () => {
      p.grad = tensor(p.data.map(Math.cos));
      optimizer.step();
      return Array.from(p.data);
    });

  test.each(Object.entries(OPTIMIZERS))(
    'multiplies each rate of %s, of any schedule',
    (_, make) => {
      const rates = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
        minLength: STEPS,
        maxLength: STEPS,
      });
      const scale = fc.double({ min: 0, max: 16, noNaN: true });
      fc.assert(
        fc.property(rates, scale, fc.boolean(), (list, learningRateScale, isOwn) => {
          const schedules: ((list: readonly number[]) => LearningRate)[] = [
            ([rate]) => rate,
            (all) => all,
            (all) => (step) => all[step],
          ];
          for (const schedule of schedules) {
            const [a, b] = [parameter(1), parameter(1)];
            const own = isOwn ? { learningRate: schedule(list) } : {};
            const scaled = make([{ parameters: [a], learningRateScale, ...own }], {
              learningRate: isOwn ? 1 : schedule(list),
            });
            const plain = make([{ parameters: [b] }], {
              learningRate: schedule(list.map((rate) => learningRateScale * rate)),
            });
            expect(trajectory(a, scaled)).toEqual(trajectory(b, plain));
            if (learningRateScale === 0) expect([...a.data]).toEqual([...parameter(1).data]);
          }
        }),
        { numRuns: 20 },
      );
    },
  );

  test('of 1 changes no bit, and is no part of what monitors show', () => {
    const [a, b] = [parameter(2), parameter(2)];
    const scaled = new Adam([{ parameters: [a], learningRateScale: 1 }], { learningRate: 0.1 });
    expect(trajectory(a, scaled)).toEqual(trajectory(b, new Adam([b], { learningRate: 0.1 })));
    const tenfold = new Adam([{ parameters: [a], learningRateScale: 10 }], { learningRate: 0.1 });
    expect(tenfold.learningRate).toBe(Math.fround(0.1));
  });
});

describe('a training with groups and frozen layers', () => {
  const patterns = [
    { pattern: '5.**', learningRateScale: 4, weightDecay: 0.1 },
    { pattern: '**.bias', learningRate: (step: number) => 0.01 / (1 + step) },
  ];
  const made =
    (make: (typeof OPTIMIZERS)[string], order = patterns) =>
    (network: Module) => {
      network.freeze('1');
      return make(parameterGroups(network, order), { learningRate: 0.02, weightDecay: 0.01 });
    };

  test.each(Object.entries(OPTIMIZERS))('with %s goes on to the bit', async (_, make) => {
    await expectExactResume(made(make));
  });

  test('goes on also where the groups come in another order, for states go by name', async () => {
    const [classifier] = patterns;
    const weights = { pattern: /^[01]\.weight/ };
    const biases = { ...patterns[1], pattern: /^[01]\.bias/ };
    await expectExactResume(
      made(OPTIMIZERS.Adam),
      made(OPTIMIZERS.Adam, [biases, weights, classifier] as typeof patterns),
    );
  });

  test('does not go on with a parameter that has no state, which is named', async () => {
    const fewer = (network: Module): Optimizer =>
      new Adam(network.parameters('5'), { learningRate: 0.1 });
    const [, file] = await snapshotsOf(fewer);
    await expect(resume(file, made(OPTIMIZERS.Adam))).rejects.toThrow(
      /Adam: the state lacks '(steps|moment1)\.[01]\.(weight|bias)'; resume with the same network/,
    );
  });

  test('takes no more memory with each step', () => {
    const network = createNetwork();
    const optimizer = made(OPTIMIZERS.AdamW)(network);
    const step = (): void => {
      for (const p of network.parameters()) p.grad = p.detach();
      optimizer.step();
      for (const p of network.parameters()) p.grad = null;
    };
    step();
    const before = memory();
    for (let i = 0; i < 5; i++) step();
    expect(memory().tensors - before.tensors).toBeLessThanOrEqual(0);
  });
});

test('a network without parameters has no group', () => {
  expect(parameterGroups(new Sequential([]), [])).toEqual([]);
});
