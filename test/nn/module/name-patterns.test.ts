import {
  AirbenchNet,
  Linear,
  Model,
  type Module,
  Momentum,
  ReLU,
  Sequential,
  SoftmaxCrossEntropyWithLogits,
} from '@firelight/nn';
import { Generator, randn, tensor, ValueError } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFeaturesAndHead as create } from './features-and-head.ts';

const NAMES = [
  'features.conv.weight',
  'features.conv.bias',
  'features.norm.weight',
  'features.norm.bias',
  'head.linear.weight',
  'head.linear.bias',
];

const namesOf = (network: Module, pattern?: string | RegExp): string[] =>
  network.namedParameters(pattern).map(([name]) => name);
const frozenOf = (network: Module): string[] =>
  network.namedParameters().flatMap(([name, { requiresGrad }]) => (requiresGrad ? [] : [name]));
/** Names of modules that are in evaluation mode. */
const restingOf = (network: Module): string[] =>
  network.namedModules().flatMap(([name, { training }]) => (training ? [] : [name]));

describe('a pattern', () => {
  test.each<[string | RegExp, string[]]>([
    ['features', NAMES.slice(0, 4)],
    ['features.*', NAMES.slice(0, 4)],
    ['features.**', NAMES.slice(0, 4)],
    ['**', NAMES],
    ['*', NAMES],
    ['**.bias', [NAMES[1], NAMES[3], NAMES[5]]],
    ['*.*.bias', [NAMES[1], NAMES[3], NAMES[5]]],
    ['features.**.bias', [NAMES[1], NAMES[3]]],
    ['**.n*m', [NAMES[2], NAMES[3]]],
    ['*s.con*.*t', [NAMES[0]]],
    ['head.linear.weight', [NAMES[4]]],
    ['**.head.**.weight.**', [NAMES[4]]],
    [/bias$/, [NAMES[1], NAMES[3], NAMES[5]]],
    [/^(?!head)/, NAMES.slice(0, 4)],
    [/NORM/gi, [NAMES[2], NAMES[3]]],
  ])('%s names what it says', (pattern, names) => {
    const network = create();
    expect(namesOf(network, pattern)).toEqual(names);
    // Also when it is asked again: a RegExp may keep a position.
    expect(namesOf(network, pattern)).toEqual(names);
    expect(network.parameters(pattern)).toEqual(names.map((name) => at(network, name)));
    expect(frozenOf(network.freeze(pattern))).toEqual(names);
    expect(frozenOf(network.unfreeze(pattern))).toEqual([]);
    expect(restingOf(network)).toEqual([]);
  });

  test.each<[string | RegExp, string]>([
    ['featurs.*', "'features.conv', 'features.norm', 'features.conv.bias'"],
    ['head.linear.wieght', "'head.linear.weight', 'head.linear.bias', 'head.linear'"],
    ['*.bias', "'features.norm.bias'"],
    ['bias', "'head', "],
    ['', "'head', 'features', 'head.linear'"],
    ['head.line(a|r)', "'head.linear'"],
    ['head.linear.', "'head.linear'"],
    [/^featurs\.(conv|norm)\b/, "'features.conv.bias'"],
  ])('%s that names nothing is refused with what is near', (pattern, near) => {
    const network = create();
    for (const method of ['freeze', 'unfreeze', 'parameters', 'namedParameters'] as const) {
      const call = (): unknown => network[method](pattern);
      expect(call).toThrow(ValueError);
      const op = method === 'namedParameters' ? 'parameters' : method;
      expect(call).toThrow(`${op}: Sequential has no parameter `);
      expect(call).toThrow('; near are ');
      expect(message(call)).toContain(near);
    }
    expect(frozenOf(network)).toEqual([]);
  });

  test('that is none is refused', () => {
    for (const value of [null, 3, ['features'], {}]) {
      expect(() => create().freeze(value as never)).toThrow(
        /^freeze: pattern must be a name such as 'features.\*', or a RegExp, got /,
      );
    }
    expect(() => new ReLU().freeze('**')).toThrow(
      "freeze: ReLU has no parameter '**'; there are no names",
    );
  });

  test('of a name is that name alone, and of its beginning all inside', () => {
    const name = fc.constantFrom(...NAMES);
    fc.assert(
      fc.property(name, fc.nat(), fc.nat(), (full, from, length) => {
        const parts = full.split('.');
        const start = parts.slice(0, 1 + (from % parts.length)).join('.');
        const network = create();
        const inside = NAMES.filter((each) => `${each}.`.startsWith(`${start}.`));
        expect(namesOf(network, start)).toEqual(inside);
        // A star may stand for any letters of a part.
        const [a, b] = [from % start.length, length % 4];
        const starred = `${start.slice(0, a)}*${start.slice(a + b)}`;
        if (!start.slice(a, a + b).includes('.')) {
          expect(namesOf(network, starred)).toEqual(expect.arrayContaining(inside));
        }
      }),
    );
  });
});

describe('freeze by pattern', () => {
  test('freezes as a whole what has nothing left to train', () => {
    const network = create();
    network.freeze('features.*');
    expect(restingOf(network)).toEqual([
      'features',
      ...['conv', 'norm', 'relu', 'dropout'].map((name) => `features.${name}`),
    ]);
    network.unfreeze('features.norm');
    expect(frozenOf(network)).toEqual(NAMES.slice(0, 2));
    expect(restingOf(network)).toEqual(['features.conv']);
    network.unfreeze();
    network.freeze('**.bias');
    expect(restingOf(network)).toEqual([]);
    network.freeze(/norm\.weight/);
    expect(restingOf(network)).toEqual(['features.norm']);
    network.freeze('**');
    expect(restingOf(network)).toHaveLength(network.namedModules().length);
  });

  test('leaves a dropout that was frozen for itself', () => {
    const network = create();
    network.getSubmodule('features.dropout').freeze();
    network.freeze('**.bias').unfreeze('**.bias');
    expect(restingOf(network)).toEqual(['features.dropout']);
  });

  test('keeps what a network holds fixed', () => {
    const network = new AirbenchNet({ widths: [4] });
    const fixed = frozenOf(network);
    expect(fixed).toContain('whiten.weight');
    network.freeze('whiten.bias');
    expect(restingOf(network)).toEqual(['whiten']);
    network.unfreeze('**');
    expect(frozenOf(network)).toEqual(fixed);
    expect(restingOf(network)).toEqual([]);
  });

  test('finds a shared layer under each of its names', () => {
    const shared = new Linear({ inFeatures: 2, outFeatures: 2 });
    const network = new Sequential([
      ['first', shared],
      ['second', shared],
    ]);
    network.freeze('second.weight');
    expect(frozenOf(network)).toEqual(['first.weight']);
    network.unfreeze('first.weight');
    expect(frozenOf(network)).toEqual([]);
    expect(namesOf(network, 'second')).toEqual(['first.weight', 'first.bias']);
    expect(network.getSubmodule('second')).toBe(shared);
  });

  test('keeps weights and running statistics in a training, which makes no gradient for them', async () => {
    const network = create();
    network.freeze('features.**');
    const generator = new Generator(1);
    const label = tensor([0, 1, 1, 0], { dtype: 'int32' });
    const image = randn([4, 1, 4, 4], { generator });
    expect(network.getSubmodule('features').forward(image).requiresGrad).toBe(false);
    const state = (): number[][] =>
      Object.values(network.getSubmodule('features').stateDict()).map(({ data }) => [...data]);
    const before = state();
    const optimizer = new Momentum(network.parameters(), { learningRate: 0.1, momentum: 0.9 });
    const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
    const gradients: (readonly string[])[] = [];
    const callback = {
      onStepEnd: () => {
        const withGrad = network.namedParameters().filter(([, { grad }]) => grad !== null);
        gradients.push(withGrad.map(([name]) => name));
      },
    };
    const model = new Model({ network, lossFn, optimizer });
    await model.train(2, [{ image, label }], { callbacks: [callback] });
    expect(state()).toEqual(before);
    expect(gradients).toEqual([NAMES.slice(4), NAMES.slice(4)]);
  });
});

test('getSubmodule gives a part, or says what is near', () => {
  const network = create();
  for (const [name, module] of network.namedModules().slice(1)) {
    expect(network.getSubmodule(name)).toBe(module);
  }
  expect(network.getSubmodule('')).toBe(network);
  expect(() => network.getSubmodule('features.con')).toThrow(
    "getSubmodule: Sequential has no module 'features.con'; near are 'features.conv', 'features.norm', ",
  );
});

function at(network: Module, name: string) {
  return network.namedParameters().find(([each]) => each === name)?.[1];
}

function message(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}
