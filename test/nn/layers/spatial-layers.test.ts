import {
  AdaptiveAvgPool2d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AvgPool2d,
  ConvTranspose2d,
  GlobalMaxPool2d,
  MaxPool2d,
  MaxUnpool2d,
  Sequential,
  Upsample,
} from '@firelight/nn';
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool2d,
  convTranspose2d,
  Generator,
  interpolate,
  maximum,
  maxPool2d,
  maxPool2dWithIndices,
  maxUnpool2d,
  randn,
  type Tensor,
} from '@firelight/tensor';
import { expect, test } from 'vitest';

const image = randn([2, 4, 5, 6], { generator: new Generator(1) });

function expectSame(actual: Tensor, expected: Tensor): void {
  expect(actual.toArray()).toEqual(expected.toArray());
}

test('pooling layers pass their options on', () => {
  const dilated = { kernelSize: 2, stride: 1, dilation: 2 };
  expectSame(new MaxPool2d(dilated).forward(image), maxPool2d(image, dilated));
  const padded = { kernelSize: 2, padding: 1, countIncludePad: false };
  expectSame(new AvgPool2d(padded).forward(image), avgPool2d(image, padded));
  expectSame(new AdaptiveAvgPool2d([3, 2]).forward(image), adaptiveAvgPool2d(image, [3, 2]));
  expectSame(new AdaptiveMaxPool2d(3).forward(image), adaptiveMaxPool2d(image, 3));
  const sequence = randn([2, 3, 7], { generator: new Generator(4) });
  expectSame(new AdaptiveMaxPool1d(3).forward(sequence), adaptiveMaxPool1d(sequence, 3));
  const whole = reshaped(maxPool2d(image, { kernelSize: [5, 6] }));
  expect(new GlobalMaxPool2d().forward(image).toArray()).toEqual(whole);
});

test('MaxUnpool2d goes back from a max-pooling', () => {
  const { values, indices } = maxPool2dWithIndices(image, { kernelSize: 2 });
  const layer = new MaxUnpool2d({ kernelSize: 2 });
  expectSame(layer.forward(values, indices), maxUnpool2d(values, indices, { kernelSize: 2 }));
  const whole = layer.forward(values, indices, { outputSize: [5, 6] });
  expect(whole.shape).toEqual(image.shape);
  expectSame(maxPool2d(whole, { kernelSize: 2 }), maximum(values, 0));
  expect(() => layer.forward(values)).toThrow(
    'MaxUnpool2d: needs the indices of the pooling, as maxPool2dWithIndices gives them',
  );
});

test('Upsample passes its options on, and changes sizes in networks', () => {
  const options = { scale: [2, 1.5], mode: 'cubic', coordinates: 'align-corners' } as const;
  expectSame(new Upsample(options).forward(image), interpolate(image, options));
  const sequence = randn([2, 3, 4], { generator: new Generator(3) });
  expectSame(new Upsample({ size: 7 }).forward(sequence), interpolate(sequence, { size: 7 }));
  const network = new Sequential([new MaxPool2d({ kernelSize: 2 }), new Upsample({ scale: 2 })]);
  expect(network.forward(image).shape).toEqual([2, 4, 4, 6]);
  expect([...network.parameters()]).toEqual([]);
  expect(() => new Upsample({ scale: 0 })).toThrow(
    'Upsample: scale must be finite numbers > 0, got 0',
  );
});

const reshaped = (y: Tensor): number[][] => {
  const [N, C] = y.shape;
  return Array.from({ length: N }, (_, n) => Array.from(y.data.slice(n * C, (n + 1) * C)));
};

test('ConvTranspose2d has the weight of PyTorch and passes its options on', () => {
  const options = { stride: 2, padding: 1, outputPadding: 1, dilation: 2, groups: 2 };
  const layer = new ConvTranspose2d({
    inChannels: 4,
    outChannels: 6,
    kernelSize: [3, 2],
    biasInit: 0.5,
    generator: new Generator(2),
    ...options,
  });
  expect(layer.weight.shape).toEqual([4, 3, 3, 2]);
  expect([...layer.parameters()]).toHaveLength(2);
  expectSame(layer.forward(image), convTranspose2d(image, layer.weight, layer.bias, options));
  const sizes = { inChannels: 4, outChannels: 6, kernelSize: 1 };
  expect(new ConvTranspose2d({ ...sizes, bias: false }).bias).toBeNull();
  expect(() => new ConvTranspose2d({ ...sizes, groups: 4 })).toThrow(
    /ConvTranspose2d: outChannels must be an integer ≥ 1 that groups \(=4\) divides, got 6/,
  );
});
