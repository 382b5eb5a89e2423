import {
  AdaptiveAvgPool1d,
  AvgPool1d,
  Conv1d,
  Conv2d,
  ConvTranspose1d,
  ConvTranspose2d,
  loadParamIntoNet,
  MaxPool1d,
  type Module,
  Sequential,
  summary,
} from '@firelight/nn';
import {
  adaptiveAvgPool1d,
  avgPool1d,
  conv1d,
  convTranspose1d,
  Generator,
  maxPool1d,
  randn,
  type Tensor,
  ValueError,
} from '@firelight/tensor';
import { describe, expect, test } from 'vitest';

const sequences = randn([2, 4, 9], { generator: new Generator(1) });

const shapesOf = (layer: Module) =>
  layer.namedParameters().map(([name, { shape }]) => [name, shape]);

function expectSame(actual: Tensor, expected: Tensor): void {
  expect(actual.toArray()).toEqual(expected.toArray());
}

test('pooling layers pass their options on', () => {
  const dilated = { kernelSize: 2, stride: 1, dilation: 2, padding: 'same-lower' } as const;
  expectSame(new MaxPool1d(dilated).forward(sequences), maxPool1d(sequences, dilated));
  const padded = { kernelSize: 3, padding: 1, countIncludePad: false };
  expectSame(new AvgPool1d(padded).forward(sequences), avgPool1d(sequences, padded));
  expectSame(new AdaptiveAvgPool1d(4).forward(sequences), adaptiveAvgPool1d(sequences, 4));
});

describe('Conv1d', () => {
  const options = { stride: 2, padding: [1, 2], dilation: 2, groups: 2 } as const;
  const sizes = { inChannels: 4, outChannels: 6, kernelSize: 3 };

  test('has the parameters of PyTorch and passes its options on', () => {
    const layer = new Conv1d({ ...sizes, ...options, biasInit: 0.5, generator: new Generator(2) });
    expect(shapesOf(layer)).toEqual([
      ['weight', [6, 2, 3]],
      ['bias', [6]],
    ]);
    expectSame(layer.forward(sequences), conv1d(sequences, layer.weight, layer.bias, options));
    expect(new Conv1d({ ...sizes, bias: false }).bias).toBeNull();
  });

  test('starts with the weights of a Conv2d of its size', () => {
    const layer = new Conv1d({ ...sizes, generator: new Generator(3) });
    const image = new Conv2d({ ...sizes, kernelSize: [1, 3], generator: new Generator(3) });
    expect(layer.weight.data).toEqual(image.weight.data);
    expect(layer.bias?.data).toEqual(image.bias?.data);
  });

  test('takes weights by the names of PyTorch, and counts its multiplications', () => {
    const network = new Sequential([new Conv1d(sizes)]);
    const weight = randn([6, 4, 3], { generator: new Generator(4) });
    const bias = randn([6], { generator: new Generator(5) });
    loadParamIntoNet(network, { '0.weight': weight, '0.bias': bias });
    expectSame(network.forward(sequences), conv1d(sequences, weight, bias));
    expect(summary(network, [1, 4, 9]).macs).toBe(6 * 7 * 4 * 3);
  });

  test.each([
    [{ ...sizes, groups: 4 }, /Conv1d: outChannels must be an integer ≥ 1 that groups \(=4\) div/],
    [{ ...sizes, kernelSize: 0 }, /Conv1d: kernelSize must be an integer ≥ 1, got 0/],
    [{ ...sizes, kernelSize: [1, 3] as never }, /Conv1d: kernelSize must be an integer/],
  ])('refuses %o', (wrong, message) => {
    expect(() => new Conv1d(wrong)).toThrow(ValueError);
    expect(() => new Conv1d(wrong)).toThrow(message);
  });
});

describe('ConvTranspose1d', () => {
  const options = { stride: 2, padding: 1, outputPadding: 1, dilation: 2, groups: 2 };
  const sizes = { inChannels: 4, outChannels: 6, kernelSize: 3 };

  test('has the parameters of PyTorch and passes its options on', () => {
    const layer = new ConvTranspose1d({
      ...sizes,
      ...options,
      biasInit: 0.5,
      generator: new Generator(2),
    });
    expect(shapesOf(layer)).toEqual([
      ['weight', [4, 3, 3]],
      ['bias', [6]],
    ]);
    const y = convTranspose1d(sequences, layer.weight, layer.bias, options);
    expectSame(layer.forward(sequences), y);
    expect(new ConvTranspose1d({ ...sizes, bias: false }).bias).toBeNull();
  });

  test('starts with the weights of a ConvTranspose2d of its size', () => {
    const layer = new ConvTranspose1d({ ...sizes, generator: new Generator(3) });
    const kernelSize = [1, 3] as const;
    const image = new ConvTranspose2d({ ...sizes, kernelSize, generator: new Generator(3) });
    expect(layer.weight.data).toEqual(image.weight.data);
  });

  test.each([
    [{ ...sizes, groups: 3 }, /ConvTranspose1d: inChannels must be an integer ≥ 1 that groups/],
    [{ ...sizes, kernelSize: 1.5 }, /ConvTranspose1d: kernelSize must be an integer ≥ 1, got 1.5/],
  ])('refuses %o', (wrong, message) => {
    expect(() => new ConvTranspose1d(wrong)).toThrow(ValueError);
    expect(() => new ConvTranspose1d(wrong)).toThrow(message);
  });
});
