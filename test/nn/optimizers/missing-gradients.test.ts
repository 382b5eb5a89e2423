import { readFileSync } from 'node:fs';
import {
  Adam,
  AdamW,
  Module,
  Momentum,
  type MomentumOptimizerOptions,
  type Optimizer,
  RMSProp,
  SGD,
  type StateDict,
} from '@firelight/nn';
import { type Tensor, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const OPTIMIZERS = { SGD, Momentum, Adam, AdamW, RMSProp } as const;

interface Case {
  readonly name: keyof typeof OPTIMIZERS;
  readonly options: MomentumOptimizerOptions;
  readonly groups: readonly {
    readonly start: number[][];
    readonly learningRate?: number;
    readonly weightDecay?: number;
  }[];
  /** By step and parameter; null where the parameter has none. */
  readonly gradients: readonly (readonly (number[] | null)[])[];
  readonly weights: readonly number[][];
}

const cases: Case[] = JSON.parse(
  readFileSync(
    new URL('../../fixtures/optimizers/missing-gradients.json', import.meta.url),
    'utf8',
  ),
);

const parameter = (values: readonly number[]): Tensor =>
  tensor(Float64Array.from(values), { requiresGrad: true });

class NamedParameters extends Module {
  readonly list: readonly Tensor[];

  constructor(list: readonly Tensor[]) {
    super();
    this.list = list.map((each, i) => this.registerParameter(`p${i}`, each));
  }

  forward(x: Tensor): Tensor {
    return x;
  }
}

/** A training of a case that stands before its first step. */
function begin({ name, options, groups, gradients }: Case) {
  const grouped = groups.map(({ start, ...group }) => ({
    ...group,
    parameters: start.map(parameter),
  }));
  const network = new NamedParameters(grouped.flatMap(({ parameters }) => parameters));
  const optimizer: Optimizer = new OPTIMIZERS[name](grouped, options);
  const step = (i: number): void => {
    network.list.forEach((each, p) => {
      const gradient = gradients[i][p];
      each.grad = gradient === null ? null : tensor(Float64Array.from(gradient));
    });
    optimizer.step();
  };
  return { network, optimizer, step };
}

type Training = ReturnType<typeof begin>;

const weightsOf = ({ network }: Training): number[][] =>
  network.list.map(({ data }) => Array.from(data));

function copyState(from: Training, to: Training, state: StateDict): void {
  to.network.loadStateDict(from.network.stateDict());
  to.optimizer.loadStateDict(state, to.network);
  to.optimizer.restoreGlobalStep(from.optimizer.globalStep);
}

test.each(cases.map((each, i) => [i, each.name, JSON.stringify(each.options), each] as const))(
  'case %i, %s with %s, steps as PyTorch does, and goes on exactly from every state',
  (_, __, ___, one) => {
    const whole = begin(one);
    const resumed = one.gradients.map((____, i) => {
      const second = begin(one);
      copyState(whole, second, whole.optimizer.stateDict(whole.network));
      whole.step(i);
      return second;
    });
    weightsOf(whole).forEach((values, p) => {
      values.forEach((value, i) => {
        expect(Math.abs(value - one.weights[p][i])).toBeLessThan(1e-11);
      });
    });
    resumed.forEach((second, from) => {
      for (let i = from; i < one.gradients.length; i++) second.step(i);
      expect(weightsOf(second)).toEqual(weightsOf(whole));
    });
  },
);

describe('a parameter whose first gradient comes late', () => {
  const late = fc.record({
    steps: fc.integer({ min: 1, max: 1500 }),
    gradient: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
  });

  test.each(['Adam', 'AdamW'] as const)('moves by the learning rate, with %s', (name) =>
    fc.assert(
      fc.property(late, ({ steps, gradient }) => {
        const [early, other] = [parameter([1]), parameter([1])];
        const optimizer = new OPTIMIZERS[name]([early, other], {
          learningRate: 0.5,
          weightDecay: 0,
        });
        early.grad = tensor(Float64Array.of(1));
        for (let i = 0; i < steps; i++) optimizer.step();
        other.grad = tensor(Float64Array.of(gradient));
        optimizer.step();
        expect(other.data[0]).toBeCloseTo(0.5, 4);
      }),
      { numRuns: 10 },
    ),
  );

  test('takes its whole gradient with a dampened SGD', () =>
    fc.assert(
      fc.property(late, ({ steps, gradient }) => {
        const [early, other] = [parameter([1]), parameter([1])];
        const options = { learningRate: 0.5, momentum: 0.9, dampening: 0.75 };
        const optimizer = new SGD([early, other], options);
        early.grad = tensor(Float64Array.of(1));
        for (let i = 0; i < steps; i++) optimizer.step();
        other.grad = tensor(Float64Array.of(gradient));
        optimizer.step();
        expect(other.data[0]).toBeCloseTo(1 - 0.5 * gradient, 9);
      }),
      { numRuns: 10 },
    ));
});

describe('the steps of each parameter', () => {
  const two: Case = {
    name: 'Adam',
    options: { learningRate: 0.25 } as MomentumOptimizerOptions,
    groups: [{ start: [[1], [2]] }],
    gradients: [
      [[1], null],
      [[2], [1]],
      [[1], [3]],
      [[2], [1]],
    ],
    weights: [],
  };
  const allThere: Case = { ...two, gradients: two.gradients.map(() => [[1], [2]]) };

  test('are saved as integers by name, where the formula needs them', () => {
    const training = begin(two);
    for (let i = 0; i < 3; i++) training.step(i);
    const state = training.optimizer.stateDict(training.network);
    expect(state['steps.p0'].dtype).toBe('int32');
    expect(state['steps.p0'].toArray()).toEqual([3]);
    expect(state['steps.p1'].toArray()).toEqual([2]);
    const names = (name: Case['name'], options: object): string[] => {
      const { optimizer, network } = begin({
        ...two,
        name,
        options: { ...two.options, ...options },
      });
      return Object.keys(optimizer.stateDict(network)).filter((key) => key.startsWith('steps.'));
    };
    expect(names('AdamW', {})).toEqual(['steps.p0', 'steps.p1']);
    expect(names('SGD', { momentum: 0.5, dampening: 0.5 })).toEqual(['steps.p0', 'steps.p1']);
    expect(names('SGD', { momentum: 0.5 })).toEqual([]);
    expect(names('Momentum', { momentum: 0.5 })).toEqual([]);
    expect(names('RMSProp', {})).toEqual([]);
  });

  test.each([
    ['Adam', {}],
    ['AdamW', {}],
    ['SGD', { momentum: 0.5, dampening: 0.5 }],
  ] as const)(
    'are those of the optimizer after an older state of %s, which lacks them',
    (name, extra) => {
      const each: Case = { ...allThere, name, options: { ...two.options, ...extra } };
      const [whole, second] = [begin(each), begin(each)];
      for (let i = 0; i < 2; i++) whole.step(i);
      const older = Object.fromEntries(
        Object.entries(whole.optimizer.stateDict(whole.network)).filter(
          ([key]) => !key.startsWith('steps.'),
        ),
      );
      copyState(whole, second, older);
      const saved = second.optimizer.stateDict(second.network);
      expect(saved['steps.p1'].toArray()).toEqual([2]);
      for (let i = 2; i < 4; i++) {
        whole.step(i);
        second.step(i);
      }
      expect(weightsOf(second)).toEqual(weightsOf(whole));
    },
  );

  test('are refused where they cannot be, and then nothing is changed', () => {
    const training = begin(two);
    for (let i = 0; i < 3; i++) training.step(i);
    const { optimizer, network } = training;
    const state = optimizer.stateDict(network);
    const moments = () => Array.from(optimizer.stateDict(network)['moment1.p0'].data);
    const before = moments();
    const load = (changed: Record<string, Tensor>) => () =>
      optimizer.loadStateDict({ ...state, 'moment1.p0': tensor([9]), ...changed }, network);
    expect(load({ 'steps.p1': tensor([-1], { dtype: 'int32' }) })).toThrow(
      "Adam: 'steps.p1' must be an integer ≥ 0, got -1",
    );
    expect(load({ 'steps.p1': tensor([1.5]) })).toThrow(/must be an integer ≥ 0, got 1\.5/);
    expect(load({ 'steps.p1': tensor([1, 2]) })).toThrow(/needs a tensor with one element/);
    const { 'steps.p1': _, ...partial } = state;
    expect(() => optimizer.loadStateDict(partial, network)).toThrow(/the state lacks 'steps\.p1'/);
    expect(moments()).toEqual(before);
    expect(optimizer.stateDict(network)['steps.p1'].toArray()).toEqual([2]);
  });
});

test('a learning rate that a function gives must be a number ≥ 0', () => {
  const w = parameter([1]);
  w.grad = tensor(Float64Array.of(1));
  const optimizer = new SGD([w], { learningRate: (step) => (step < 1 ? 0.5 : Number.NaN) });
  optimizer.step();
  expect(() => optimizer.step()).toThrow(
    'SGD: learningRate of step 1 must be a number ≥ 0, got NaN',
  );
  expect(w.data[0]).toBe(0.5);
});
