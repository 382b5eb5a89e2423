import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Conv2d,
  dequantize,
  loadParamIntoNet,
  quantize,
  SqueezeNet,
  saveCheckpoint,
} from '@firelight/nn';
import { openCheckpoint } from '@firelight/nn/formats';
import { Generator, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('each output channel has a scale of its own', () => {
  const state = {
    weight: tensor([
      [127, -63.6, 1],
      [0.5, 0.25, -0.125],
      [0, 0, 0],
    ]),
    bias: tensor([1, 2, 3]),
  };
  const { weight, 'weight.scale': scale, bias } = quantize(state);
  expect(weight.dtype).toBe('int8');
  expect(weight.toArray()).toEqual([
    [127, -64, 1],
    [127, 64, -32],
    [0, 0, 0],
  ]);
  expect(scale.toArray()).toEqual([1, Math.fround(0.5 / 127), 0]);
  expect(bias).toBe(state.bias);
  expect(Object.keys(dequantize(quantize(state)))).toEqual(['weight', 'bias']);
  expect(dequantize(state)).toEqual(state);
});

test('no weight moves by more than half a step', () => {
  const numbers = fc.array(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 6 });
  fc.assert(
    fc.property(numbers, fc.integer({ min: 1, max: 3 }), (values, channels) => {
      const length = Math.floor(values.length / channels);
      const data = Float32Array.from(values.slice(0, channels * length));
      const weight = tensor(data, { shape: [channels, 1, length] });
      const back = dequantize(quantize({ weight })).weight.data;
      for (let channel = 0; channel < channels; channel++) {
        const own = data.subarray(channel * length, (channel + 1) * length);
        const step = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
        own.forEach((value, i) => {
          expect(Math.abs(back[channel * length + i] - value)).toBeLessThanOrEqual(
            0.501 * step + 1e-38,
          );
        });
      }
    }),
  );
});

test('a network in a quarter of the bytes says nearly the same', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'firelight-quantize-'));
  try {
    const network = new SqueezeNet({ numClasses: 10, generator: new Generator(1) }).eval();
    const [small, whole] = [join(folder, 'int8'), join(folder, 'float32')];
    const sizes = await Promise.all(
      [await saveCheckpoint(quantize(network), small), await saveCheckpoint(network, whole)].map(
        async (path) => (await stat(path)).size,
      ),
    );
    expect(sizes[0] / sizes[1]).toBeLessThan(0.27);
    const other = new SqueezeNet({ numClasses: 10, generator: new Generator(2) }).eval();
    const { tensors } = await openCheckpoint(`${small}.safetensors`);
    expect(loadParamIntoNet(other, dequantize(tensors))).toEqual([]);
    const pixels = Float32Array.from(new Generator(3).normal(2 * 3 * 35 * 35));
    const images = tensor(pixels, { shape: [2, 3, 35, 35] });
    const [a, b] = [network, other].map((each) => Float64Array.from(each.forward(images).data));
    const scale = a.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
    a.forEach((logit, i) => {
      expect(Math.abs(logit - b[i])).toBeLessThan(0.05 * scale);
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('errors say what is wrong', () => {
  const layer = new Conv2d({
    inChannels: 1,
    outChannels: 2,
    kernelSize: 1,
    generator: new Generator(1),
  });
  const state = quantize(layer);
  expect(() => quantize({ ...layer.stateDict(), 'weight.scale': tensor([1]) })).toThrow(
    "quantize: 'weight.scale' is taken; is the state quantized already?",
  );
  expect(() => dequantize({ ...state, 'weight.scale': tensor([1]) })).toThrow(
    "dequantize: 'weight.scale' must have the shape [2], one for each channel of 'weight' [2, 1, 1, 1], got [1]",
  );
  expect(() => quantize({ weight: tensor([[1, Number.NaN]]) })).toThrow(
    'quantize: channel 0 of weight must be finite, got NaN',
  );
});
