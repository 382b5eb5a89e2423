import { readFileSync } from 'node:fs';
import {
  Adam,
  AdamW,
  airbenchAlpha,
  Lookahead,
  type LookaheadOptions,
  type Module,
  Momentum,
  MultiOptimizer,
  Muon,
  type Optimizer,
  parameterGroups,
  SGD,
} from '@firelight/nn';
import { Generator, memory, type Tensor, tensor, ValueError } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bits, createNetwork } from '../training/blobs.ts';
import { expectExactResume, resume, snapshotsOf } from '../training/exact-resume.ts';

const OPTIMIZERS = { SGD, Adam, AdamW } as const;

interface Fixture {
  readonly start: number[];
  readonly cases: {
    readonly name: keyof typeof OPTIMIZERS;
    readonly options: { learningRate: number };
    readonly lookahead: { readonly k: number; readonly alpha: number | null };
    readonly weights: number[][];
  }[];
}
const fixture: Fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/optimizers/lookahead.json', import.meta.url), 'utf8'),
);

const parameter = (values: ArrayLike<number>): Tensor =>
  tensor(Float64Array.from(values), { requiresGrad: true });
const stepOn = (optimizer: Optimizer, w: Tensor): number[] => {
  w.grad = tensor(w.data.map((value) => value ** 3 - 1));
  optimizer.step();
  return Array.from(w.data);
};

describe('Lookahead', () => {
  test.each(
    fixture.cases.map((each) => [each.name, JSON.stringify(each.lookahead), each] as const),
  )(
    'around %s with %s takes the steps of its formula',
    (name, _, { options, lookahead, weights }) => {
      const w = parameter(fixture.start);
      const { k, alpha } = lookahead;
      const optimizer = new Lookahead(new OPTIMIZERS[name]([w], options), {
        k,
        alpha: alpha ?? airbenchAlpha(weights.length),
      });
      for (const expected of weights) {
        stepOn(optimizer, w).forEach((value, i) => {
          expect(Math.abs(value - expected[i])).toBeLessThan(1e-10);
        });
      }
      expect(optimizer.globalStep).toBe(weights.length);
    },
  );

  const start = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 1 });
  const k = fc.integer({ min: 1, max: 6 });

  test('with alpha 1 is the other optimizer to the bit, and with 0 comes back each time', () =>
    fc.assert(
      fc.property(start, k, fc.integer({ min: 1, max: 12 }), (values, every, steps) => {
        const [a, b, c] = [parameter(values), parameter(values), parameter(values)];
        const inner = (p: Tensor) => new Adam([p], { learningRate: 0.125 });
        const plain = inner(a);
        const ones = new Lookahead(inner(b), { k: every, alpha: 1 });
        const zeros = new Lookahead(inner(c), { k: every, alpha: () => 0 });
        for (let step = 1; step <= steps; step++) {
          expect(stepOn(ones, b)).toEqual(stepOn(plain, a));
          stepOn(zeros, c);
          // All but the sign of 0 is the same.
          if (step % every === 0)
            expect(Array.from(c.data, (x) => x + 0)).toEqual(values.map((x) => x + 0));
        }
      }),
    ));

  test('goes back to its last look on request, and on from there', () => {
    const [a, b] = [parameter(fixture.start), parameter(fixture.start)];
    const create = (p: Tensor) => new Lookahead(new SGD([p], { learningRate: 0.03125 }), { k: 3 });
    const [one, other] = [create(a), create(b)];
    one.useSlowWeights();
    expect([...a.data]).toEqual([...b.data]);
    for (let step = 0; step < 3; step++) expect(stepOn(one, a)).toEqual(stepOn(other, b));
    one.useSlowWeights();
    expect([...a.data]).toEqual([...b.data]);
    stepOn(one, a);
    stepOn(one, a);
    one.useSlowWeights();
    expect([...a.data]).toEqual([...b.data]);
  });

  test('takes weights that were loaded after it was made', () => {
    const w = parameter([9, 9]);
    const optimizer = new Lookahead(new SGD([w], { learningRate: 0 }), { k: 2 });
    const network = createNetwork();
    const around = new Lookahead(new SGD(network.parameters(), { learningRate: 0 }), { k: 2 });
    network.loadStateDict(createNetwork(1).stateDict());
    for (let i = 0; i < 4; i++) {
      for (const p of network.parameters()) p.grad = p.detach();
      around.step();
      stepOn(optimizer, w);
    }
    expect(bits(network)).toEqual(bits(createNetwork(1)));
    expect([...w.data]).toEqual([9, 9]);
  });

  test('leaves what is frozen, to the bit, and what has no gradient', () => {
    const network = createNetwork();
    const before = bits(network);
    network.freeze('0');
    const optimizer = new Lookahead(new SGD(network.parameters(), { learningRate: 0.1 }), {
      k: 2,
      alpha: 0.3,
    });
    for (let i = 0; i < 4; i++) {
      const [head] = network.parameters('5.weight');
      head.grad = head.detach();
      optimizer.step();
    }
    const changed = bits(network).flatMap((each, i) =>
      String(each) === String(before[i]) ? [] : [Object.keys(network.stateDict())[i]],
    );
    expect(changed).toEqual(['5.weight']);
  });

  test('refuses options out of range', () => {
    const inner = new SGD([parameter([1])], { learningRate: 0.1 });
    const wrong: [LookaheadOptions, RegExp][] = [
      [{ k: 0 }, /^Lookahead: k must be an integer ≥ 1, got 0$/],
      [{ alpha: 1.5 }, /^Lookahead: alpha must be in \[0, 1\], got 1.5$/],
      [{ steps: 3 } as never, /^Lookahead: there is no option 'steps'; there is k, alpha$/],
    ];
    for (const [options, message] of wrong) {
      expect(() => new Lookahead(inner, options)).toThrow(ValueError);
      expect(() => new Lookahead(inner, options)).toThrow(message);
    }
    const w = parameter([1]);
    const late = new Lookahead(new SGD([w], { learningRate: 0.1 }), { k: 1, alpha: () => -1 });
    expect(() => stepOn(late, w)).toThrow('Lookahead: alpha of step 1 must be in [0, 1], got -1');
    expect(() => new Lookahead('SGD' as never)).toThrow(
      'Lookahead: takes a list of one or more optimizers',
    );
    expect(() => airbenchAlpha(0)).toThrow('airbenchAlpha: steps must be an integer ≥ 1, got 0');
  });
});

test('airbenchAlpha falls from 1 to 1 − 0.95⁵, and stays there', () => {
  const alpha = airbenchAlpha(100);
  expect([alpha(0), alpha(100), alpha(101)]).toEqual([1, 1 - 0.95 ** 5, 1 - 0.95 ** 5]);
  expect(alpha(50)).toBeCloseTo(1 - 0.95 ** 5 / 8, 12);
});

describe('MultiOptimizer', () => {
  const make = (network: Module): Optimizer => {
    const [matrices, others] = parameterGroups(network, [{ pattern: /^[05].weight/ }]);
    return new MultiOptimizer([
      new Muon([matrices], { learningRate: (step) => 0.02 / (1 + step) }),
      new AdamW([others], { learningRate: 0.003 }),
    ]);
  };
  const around = (network: Module): Optimizer => new Lookahead(make(network), { k: 3 });

  test('steps as its optimizers do apart', () => {
    const [a, b] = [createNetwork(), createNetwork()];
    const joint = make(a);
    const [matrices, others] = parameterGroups(b, [{ pattern: /^[05].weight/ }]);
    const apart = [
      new Muon([matrices], { learningRate: (step) => 0.02 / (1 + step) }),
      new AdamW([others], { learningRate: 0.003 }),
    ];
    for (let step = 0; step < 4; step++) {
      expect(joint.learningRate).toBe(Math.fround(0.02 / (1 + step)));
      for (const network of [a, b]) {
        for (const p of network.parameters()) p.grad = p.detach();
      }
      joint.step();
      for (const each of apart) each.step();
      expect(bits(a)).toEqual(bits(b));
    }
    expect(joint.globalStep).toBe(4);
    joint.zeroGrad();
    expect(a.parameters().every(({ grad }) => grad === null)).toBe(true);
    const rates = new MultiOptimizer([new SGD(a.parameters(), { learningRate: [0.5, 0.25] })]);
    expect([...(rates.learningRateArray ?? [])]).toEqual([0.5, 0.25]);
    expect(joint.learningRateArray).toBeNull();
  });

  test('goes on to the bit, also inside Lookahead', async () => {
    await expectExactResume(make);
    await expectExactResume(around);
  });

  test('does not go on from the state of others, whose lack is named', async () => {
    const momentum = (network: Module): Optimizer =>
      new Momentum(network.parameters(), { learningRate: 0.1, momentum: 0.9 });
    const [file] = await snapshotsOf(momentum);
    await expect(resume(file, make)).rejects.toThrow(
      /Muon: the state lacks 'mean_gradient\.0\.weight'/,
    );
    const [multi] = await snapshotsOf(make);
    await expect(resume(multi, around)).rejects.toThrow(
      /Lookahead: the state lacks 'slow\.0\.weight'/,
    );
  });

  test('takes no more memory with each step', () => {
    const network = createNetwork();
    const optimizer = around(network);
    const generator = new Generator(3);
    for (const p of network.parameters()) {
      p.grad = tensor(Float32Array.from(generator.normal(p.size)), { shape: p.shape });
    }
    for (let i = 0; i < 3; i++) optimizer.step();
    const before = memory().tensors;
    for (let i = 0; i < 6; i++) optimizer.step();
    expect(memory().tensors).toBe(before);
  });

  test('changes nothing where one of them has no step to take', () => {
    const [a, b] = [parameter([1]), parameter([2])];
    const [first, second] = [
      new SGD([a], { learningRate: 0.1 }),
      new SGD([b], { learningRate: [1] }),
    ];
    const joint = new MultiOptimizer([first, second]);
    const fails: [Optimizer, RegExp][] = [
      [joint, /SGD: step 1 is past the end of the learning rates \(1\)/],
      [new Lookahead(first, { k: 2, alpha: () => Number.NaN }), /alpha of step 2 must be in/],
    ];
    for (const p of [a, b]) p.grad = tensor(Float64Array.of(1));
    joint.step();
    const before = [a.data[0], b.data[0]];
    for (const [optimizer, message] of fails) {
      expect(() => optimizer.step()).toThrow(message);
      expect([a.data[0], b.data[0]]).toEqual(before);
      expect(optimizer.globalStep).toBe(1);
    }
  });

  test('refuses what cannot step together', () => {
    const [a, b] = [parameter([1]), parameter([2])];
    const sgd = (p: Tensor, lossScale = 1) => new SGD([p], { learningRate: 0.1, lossScale });
    expect(() => new MultiOptimizer([])).toThrow(
      'MultiOptimizer: takes a list of one or more optimizers',
    );
    expect(() => new MultiOptimizer([sgd(a), null] as never)).toThrow(ValueError);
    expect(() => new MultiOptimizer([sgd(a), sgd(a)])).toThrow(
      'MultiOptimizer: a parameter is listed twice',
    );
    expect(() => new MultiOptimizer([sgd(a), sgd(b, 8)])).toThrow(
      'MultiOptimizer: the optimizers must have one lossScale, as the loss has, got 1 and 8',
    );
  });
});
