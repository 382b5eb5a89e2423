import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  GlobalAvgPool2d,
  Linear,
  MaxPool2d,
  type Module,
  ReLU,
  Sequential,
} from '@firelight/nn';
import {
  arange,
  cast,
  Generator,
  mean,
  neg,
  ones,
  randn,
  relu,
  reshape,
  sub,
  type Tensor,
  tensor,
  ValueError,
} from '@firelight/tensor';
import { describe, expect, test, vi } from 'vitest';
import { expectValues } from '../../helpers/close.ts';

/** 0, 1, 2, … in the given shape, as float32. */
const counting = (...shape: number[]) => {
  const size = shape.reduce((product, length) => product * length, 1);
  return cast(reshape(arange(size), shape), 'float32');
};

describe('Conv2d', () => {
  test('has weight and bias of the documented shapes, and passes its options on', () => {
    const layer = new Conv2d({
      inChannels: 4,
      outChannels: 6,
      kernelSize: [3, 2],
      stride: [2, 1],
      padding: 'same',
      groups: 2,
    });
    expect(layer.namedParameters().map(([name, { shape }]) => [name, shape])).toEqual([
      ['weight', [6, 2, 3, 2]],
      ['bias', [6]],
    ]);
    expect(layer.forward(ones([1, 4, 7, 5])).shape).toEqual([1, 6, 4, 5]);
  });

  test('works without bias and with chosen first values', () => {
    const layer = new Conv2d({
      inChannels: 1,
      outChannels: 1,
      kernelSize: 2,
      bias: false,
      weightInit: 'ones',
    });
    expect(layer.parameters()).toHaveLength(1);
    expectValues(layer.forward(counting(1, 1, 2, 3)), [[[[8, 12]]]]);
  });

  test('refuses channels that do not fit', () => {
    const options = { inChannels: 3, outChannels: 4, kernelSize: 1 };
    expect(() => new Conv2d({ ...options, inChannels: 0 })).toThrow(ValueError);
    expect(() => new Conv2d({ ...options, groups: 2 })).toThrow(
      /inChannels must be an integer ≥ 1 that groups \(=2\) divides, got 3/,
    );
  });
});

describe('Linear', () => {
  test('is x · weightᵀ + bias', () => {
    const layer = new Linear({ inFeatures: 2, outFeatures: 1, weightInit: 'ones', biasInit: 5 });
    expectValues(layer.forward(tensor([[1, 2]])), [[8]]);
    expect(new Linear({ inFeatures: 2, outFeatures: 3 }).forward(ones([4, 2])).shape).toEqual([
      4, 3,
    ]);
    expect(() => new Linear({ inFeatures: 2, outFeatures: 0 })).toThrow(/outFeatures must be/);
  });
});

describe('layers without parameters', () => {
  test('ReLU, pools and Flatten compute what they are named after', () => {
    const x = counting(1, 1, 2, 2);
    expectValues(new ReLU().forward(tensor([-1, 2])), [0, 2]);
    expectValues(new MaxPool2d({ kernelSize: 2 }).forward(x), [[[[3]]]]);
    expectValues(new AvgPool2d({ kernelSize: 2 }).forward(x), [[[[1.5]]]]);
    expectValues(new GlobalAvgPool2d().forward(x), [[1.5]]);
    expectValues(new Flatten().forward(x), [[0, 1, 2, 3]]);
    expect(() => new Flatten().forward(tensor(1))).toThrow(/needs at least one axis/);
  });

  test('Dropout keeps the mean while training, and everything otherwise', () => {
    const layer = new Dropout({ p: 0.25, generator: new Generator(0) });
    const x = ones([100, 100]);
    expect(mean(layer.forward(x)).item()).toBeCloseTo(1, 1);
    expect(layer.forward(x).data.filter((v) => v === 0).length / 1e4).toBeCloseTo(0.25, 1);
    expect(layer.eval().forward(x)).toBe(x);
    expect(() => new Dropout({ p: 1 })).toThrow(/Dropout: p must be in \[0, 1\), got 1/);
  });

  test('Sequential applies its layers in order, by number or by name', () => {
    const conv = () => new Conv2d({ inChannels: 1, outChannels: 1, kernelSize: 1, weightInit: -2 });
    const layer = new Sequential([conv(), ['last', conv()], new ReLU()]);
    expectValues(layer.forward(ones([1, 1, 1, 1])), [[[[4]]]]);
    expect(layer.namedParameters().map(([name]) => name)).toEqual([
      '0.weight',
      '0.bias',
      'last.weight',
      'last.bias',
    ]);
  });
});

describe('Sequential', () => {
  const generator = () => new Generator(3);
  const conv = () =>
    new Conv2d({ inChannels: 2, outChannels: 3, kernelSize: 1, generator: generator() });
  const norm = () => new BatchNorm2d({ numFeatures: 3 });

  test.each<[string, () => Module[]]>([
    ['convolution', () => [conv()]],
    ['norm', () => [conv(), norm()]],
  ])('computes a ReLU with the %s before it, to the same bits', (_, make) => {
    const x = randn([2, 2, 5, 3], { generator: generator() });
    const gradOut = randn([2, 3, 5, 3], { generator: generator() });
    const fused = new Sequential([...make(), new ReLU()]);
    const layers = new Sequential(make());
    const relus = vi.spyOn(ReLU.prototype, 'forward');
    const [inside, outside] = [fused.forward(x), relu(layers.forward(x))];
    expect(relus).not.toHaveBeenCalled();
    relus.mockRestore();
    inside.backward(gradOut);
    outside.backward(gradOut);
    expect(inside.data).toEqual(outside.data);
    const state = (network: Module) => network.namedBuffers().map(([, { data }]) => data);
    expect(state(fused)).toEqual(state(layers));
    const grads = (network: Module) => network.parameters().map(({ grad }) => grad?.data);
    expect(grads(fused)).toEqual(grads(layers));
  });

  test('leaves a ReLU alone behind a layer whose forward was overridden', () => {
    class Negative extends BatchNorm2d {
      override forward(x: Tensor): Tensor {
        return neg(x);
      }
    }
    class Shifted extends Conv2d {
      override forward(x: Tensor): Tensor {
        return sub(x, 2);
      }
    }
    const options = { inChannels: 1, outChannels: 1, kernelSize: 1 };
    for (const layer of [new Negative({ numFeatures: 1 }), new Shifted(options)]) {
      const y = new Sequential([layer, new ReLU()]).forward(ones([1, 1, 1, 1]));
      expectValues(y, [[[[0]]]]);
    }
  });
});

describe('BatchNorm2d', () => {
  const RELU = { activation: 'relu' } as const;
  const x = tensor([1, 2, 3, 6], { shape: [2, 1, 1, 2] });

  test('normalizes by the batch while training, and follows it with its statistics', () => {
    const layer = new BatchNorm2d({ numFeatures: 1, epsilon: 0 });
    const std = Math.sqrt(3.5);
    expectValues(layer.forward(x), [[[[-2 / std, -1 / std]]], [[[0, 3 / std]]]]);
    expectValues(layer.runningMean, [0.3]);
    // Without bias: 14 / 3.
    expectValues(layer.runningVariance, [0.9 + 0.1 * (14 / 3)]);
  });

  test('normalizes by its statistics otherwise, and leaves them', () => {
    const layer = new BatchNorm2d({ numFeatures: 1, epsilon: 0 }).eval();
    expectValues(layer.forward(x), [[[[1, 2]]], [[[3, 6]]]]);
    expectValues(layer.runningMean, [0]);
    expectValues(layer.forward(tensor([-1, 0, 2, -3], { shape: [2, 1, 1, 2] }), RELU), [
      [[[0, 0]]],
      [[[2, 0]]],
    ]);
    expect(() => new BatchNorm2d({ numFeatures: 0 })).toThrow(/numFeatures must be an integer ≥ 1/);
  });
});
