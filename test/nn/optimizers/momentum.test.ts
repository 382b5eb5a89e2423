import { BatchNorm2d, Conv2d, Momentum, type MomentumOptimizerOptions } from '@firelight/nn';
import { Generator, randn, type Tensor, tensor, ValueError, zeros } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { relativeError } from '../../helpers/relative-error.ts';

const parameter = (values: number[]): Tensor => tensor(values, { requiresGrad: true });
const setGrad = (p: Tensor, values: ArrayLike<number>): void => {
  p.grad = tensor(Float32Array.from(values), { shape: p.shape });
};

/** The documented steps in float64, one array at a time. */
function expectedWeights(
  start: ArrayLike<number>,
  grads: readonly ArrayLike<number>[],
  rates: (step: number) => number,
  options: Omit<Required<MomentumOptimizerOptions>, 'learningRate'>,
): number[] {
  const w = Array.from(start);
  const v = w.map(() => 0);
  grads.forEach((grad, step) => {
    w.forEach((weight, i) => {
      const scaled = grad[i] + options.weightDecay * options.lossScale * weight;
      const g = scaled / options.lossScale;
      v[i] = options.momentum * v[i] + g;
      w[i] -= rates(step) * (options.nesterov ? g + options.momentum * v[i] : v[i]);
    });
  });
  return w;
}

describe('step', () => {
  test('follows the formula for all settings', () => {
    const settings = fc.record({
      momentum: fc.double({ min: 0, max: 0.99, noNaN: true }),
      weightDecay: fc.double({ min: 0, max: 0.1, noNaN: true }),
      lossScale: fc.constantFrom(1, 8, 1024),
      nesterov: fc.boolean(),
    });
    fc.assert(
      fc.property(settings, fc.nat(), (options, seed) => {
        const generator = new Generator(seed);
        const start = generator.normal(6);
        const grads = [1, 2, 3, 4].map(() => generator.normal(6));
        const p = parameter([...start]);
        const optimizer = new Momentum([p], { ...options, learningRate: 0.1 });
        for (const grad of grads) {
          setGrad(p, grad);
          optimizer.step();
        }
        const expected = expectedWeights(start, grads, () => 0.1, options);
        expect(relativeError(p.data, expected)).toBeLessThan(1e-5);
        expect(optimizer.globalStep).toBe(4);
      }),
    );
  });

  test('takes one learning rate a step from an array: 0 moves nothing, but gathers velocity', () => {
    const p = parameter([1]);
    const optimizer = new Momentum([p], { learningRate: [0, 1], momentum: 0.5 });
    setGrad(p, [1]);
    optimizer.step();
    expect(p.item()).toBe(1);
    expect(optimizer.learningRate).toBe(1);
    optimizer.step();
    expect(p.item()).toBe(1 - 1.5);
    expect(() => optimizer.step()).toThrow(/step 2 is past the end of the learning rates \(2\)/);
  });

  test('takes the learning rate from a function of the step', () => {
    const p = parameter([0]);
    const optimizer = new Momentum([p], { learningRate: (step) => 10 ** step, momentum: 0 });
    setGrad(p, [1]);
    for (let i = 0; i < 3; i++) optimizer.step();
    expect(p.item()).toBe(-111);
  });

  test('leaves parameters without a gradient alone, and zeroGrad removes gradients', () => {
    const p = parameter([1]);
    const optimizer = new Momentum([p], { learningRate: 1, momentum: 0, weightDecay: 1 });
    optimizer.step();
    expect(p.item()).toBe(1);
    setGrad(p, [1]);
    optimizer.zeroGrad();
    expect(p.grad).toBeNull();
  });
});

describe('weight decay', () => {
  const stepWithoutLoss = (parameters: readonly Tensor[], optimizer: Momentum): void => {
    for (const p of parameters) p.grad = zeros(p.shape);
    optimizer.step();
  };
  const options = { learningRate: 1, momentum: 0, weightDecay: 0.5 };

  test('shrinks weights and biases of a convolution, not those of batch norm', () => {
    const conv = new Conv2d({ inChannels: 1, outChannels: 1, kernelSize: 1, biasInit: 1 });
    const norm = new BatchNorm2d({ numFeatures: 1 });
    const weight = conv.weight.item();
    const parameters = [...conv.parameters(), ...norm.parameters()];
    stepWithoutLoss(parameters, new Momentum(parameters, options));
    expect(conv.weight.item()).toBeCloseTo(weight / 2, 6);
    expect(conv.bias?.item()).toBe(0.5);
    expect(norm.weight!.item()).toBe(1);
  });

  test('is decided by a group for all it holds', () => {
    const norm = new BatchNorm2d({ numFeatures: 1 });
    const [a, b] = [parameter([1]), parameter([1])];
    const groups = [
      { parameters: [a], weightDecay: 0 },
      { parameters: [b, norm.weight!], weightDecay: 0.25, learningRate: 2 },
    ];
    stepWithoutLoss([a, b, norm.weight!], new Momentum(groups, options));
    expect([a.item(), b.item(), norm.weight!.item()]).toEqual([1, 0.5, 0.5]);
  });
});

test('a group can ask for centralized gradients', () => {
  const weight = randn([3, 4], { generator: new Generator(0), requiresGrad: true });
  const bias = parameter([1, 2]);
  const before = Array.from(weight.data);
  const optimizer = new Momentum(
    [{ parameters: [weight, bias], gradCentralization: true, weightDecay: 0.1 }],
    { learningRate: 1, momentum: 0 },
  );
  const grad = new Generator(1).normal(12);
  setGrad(weight, grad);
  setGrad(bias, [1, 1]);
  optimizer.step();
  const decayed = Array.from(grad, (g, i) => g + 0.1 * before[i]);
  const expected = decayed.map((g, i) => {
    const row = decayed.slice(4 * Math.floor(i / 4), 4 * Math.floor(i / 4) + 4);
    return before[i] - (g - row.reduce((sum, value) => sum + value, 0) / 4);
  });
  expect(relativeError(weight.data, expected)).toBeLessThan(1e-6);
  // A vector has no axis to take the mean over.
  expect(relativeError(bias.data, [1 - 1.1, 2 - 1.2])).toBeLessThan(1e-6);
});

test.each<[what: string, act: () => unknown, message: RegExp]>([
  ['no parameters', () => new Momentum([], { learningRate: 1, momentum: 0 }), /no parameters/],
  [
    'an empty group',
    () => new Momentum([{ parameters: [] }], { learningRate: 1, momentum: 0 }),
    /no parameters/,
  ],
  [
    'a parameter twice',
    () => {
      const p = parameter([1]);
      return new Momentum([{ parameters: [p] }, { parameters: [p] }], {
        learningRate: 1,
        momentum: 0,
      });
    },
    /a parameter is listed twice/,
  ],
  [
    'a tensor that is not trained',
    () => new Momentum([zeros([2, 3])], { learningRate: 1, momentum: 0 }),
    /shape \[2, 3\] lacks requiresGrad/,
  ],
  [
    'an unknown key',
    () => {
      const group = { parameters: [parameter([1])], lr: 1 };
      return new Momentum([group], { learningRate: 1, momentum: 0 });
    },
    /unknown key 'lr'; known are parameters, learningRate/,
  ],
  [
    'a negative learning rate',
    () => new Momentum([parameter([1])], { learningRate: [0.1, -1], momentum: 0 }),
    /learningRate must be a number ≥ 0, got -1/,
  ],
  [
    'a negative momentum',
    () => new Momentum([parameter([1])], { learningRate: 1, momentum: -1 }),
    /momentum must be a number ≥ 0, got -1/,
  ],
  [
    'a negative weight decay',
    () => new Momentum([parameter([1])], { learningRate: 1, momentum: 0, weightDecay: -1 }),
    /weightDecay must be a number ≥ 0, got -1/,
  ],
  [
    'a loss scale of 0',
    () => new Momentum([parameter([1])], { learningRate: 1, momentum: 0, lossScale: 0 }),
    /lossScale must be > 0, got 0/,
  ],
])('refuses %s', (_, act, message) => {
  expect(act).toThrow(ValueError);
  expect(act).toThrow(message);
});

describe('the state', () => {
  const create = () => {
    const network = new Conv2d({
      inChannels: 1,
      outChannels: 2,
      kernelSize: 1,
      generator: new Generator(0),
    });
    const rates = Float32Array.of(0.1, 0.2, 0.3, 0.4);
    const optimizer = new Momentum(network.parameters(), { learningRate: rates, momentum: 0.9 });
    const step = (): void => {
      network.parameters().forEach((p, i) => {
        setGrad(p, [i + 1, i + 2]);
      });
      optimizer.step();
    };
    return { network, optimizer, step };
  };

  test('carries a training on exactly', () => {
    const [whole, first, second] = [create(), create(), create()];
    for (let i = 0; i < 4; i++) whole.step();
    for (let i = 0; i < 2; i++) first.step();
    second.network.loadStateDict(first.network.stateDict());
    const state = first.optimizer.stateDict(first.network);
    expect(Object.keys(state)).toEqual(['moments.weight', 'moments.bias']);
    second.optimizer.loadStateDict(state, second.network);
    second.optimizer.restoreGlobalStep(first.optimizer.globalStep);
    for (let i = 0; i < 2; i++) second.step();
    const values = ({ network }: typeof whole) => network.parameters().map((p) => p.toArray());
    expect(values(second)).toEqual(values(whole));
    expect(whole.optimizer.learningRateArray).toEqual(Float32Array.of(0.1, 0.2, 0.3, 0.4));
  });

  test('is refused where it does not fit, and then nothing is changed', () => {
    const { network, optimizer } = create();
    const state = optimizer.stateDict(network);
    const { 'moments.bias': bias, ...partial } = state;
    const load = (changed: Record<string, Tensor>) => optimizer.loadStateDict(changed, network);
    expect(() => load(partial)).toThrow(/Momentum: the state lacks 'moments\.bias'/);
    expect(() => load({ 'moments.weight': zeros([3]), 'moments.bias': bias })).toThrow(
      /'moments\.weight' is float32 \[3\], expected float32 \[2, 1, 1, 1\]/,
    );
    expect(() => optimizer.stateDict(create().network)).toThrow(
      /a parameter of shape \[2, 1, 1, 1\] is not in the network/,
    );
    expect(() => optimizer.restoreGlobalStep(-1)).toThrow(/must be an integer ≥ 0, got -1/);
  });
});
