import { DepthwiseSeparableConv2d, Linear, Module, ModuleList } from '@firelight/nn';
import { add, conv2d, Generator, randn, relu, type Tensor, ValueError } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { expectClose } from '../../helpers/close.ts';

describe('ModuleList', () => {
  const make = (): Linear => new Linear({ inFeatures: 2, outFeatures: 2 });

  class SumOfLayers extends Module {
    readonly branches = this.registerModule('branches', new ModuleList([make(), make()]));
    forward(x: Tensor): Tensor {
      return Array.from(this.branches, (branch) => branch.forward(x)).reduce((a, b) => add(a, b));
    }
  }

  test('names its modules by position', () => {
    const names = new SumOfLayers().namedParameters().map(([name]) => name);
    expect(names).toEqual(
      ['0', '1'].flatMap((i) => [`branches.${i}.weight`, `branches.${i}.bias`]),
    );
  });

  test('gives them in order, by position and by number', () => {
    const layers = [make(), make(), make()];
    const list = new ModuleList(layers);
    expect([...list]).toEqual(layers);
    expect(list.length).toBe(3);
    expect(list.at(-1)).toBe(layers[2]);
    expect(new ModuleList().length).toBe(0);
  });

  test('has no forward', () => {
    const call = () => new ModuleList([make()]).forward(randn([1, 2]));
    expect(call).toThrow(ValueError);
    expect(call).toThrow('ModuleList: has no forward; call its modules, or use Sequential');
  });
});

describe('DepthwiseSeparableConv2d', () => {
  const generator = new Generator(1);
  const sizes = { inChannels: 3, outChannels: 5, kernelSize: 3, generator } as const;

  test('is a convolution of each channel, then one of all', () => {
    const windows = { stride: 2, padding: 1, dilation: 2 };
    const layer = new DepthwiseSeparableConv2d({ ...sizes, ...windows, activation: 'relu' });
    const { depthwise, pointwise } = layer;
    const x = randn([2, 3, 8, 7], { generator });
    const inner = conv2d(x, depthwise.weight, depthwise.bias, { ...windows, groups: 3 });
    const y = conv2d(inner, pointwise.weight, pointwise.bias);
    expectClose(layer.forward(x), relu(y));
    expectClose(layer.forward(x, { activation: 'none' }), y);
  });

  test('has few weights, and biases unless told otherwise', () => {
    const shapesOf = (bias: boolean) =>
      Object.fromEntries(
        new DepthwiseSeparableConv2d({ ...sizes, bias })
          .namedParameters()
          .map(([name, { shape }]) => [name, shape]),
      );
    const weights = { 'depthwise.weight': [3, 1, 3, 3], 'pointwise.weight': [5, 3, 1, 1] };
    expect(shapesOf(false)).toEqual(weights);
    expect(shapesOf(true)).toEqual({ ...weights, 'depthwise.bias': [3], 'pointwise.bias': [5] });
  });
});
