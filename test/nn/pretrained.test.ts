import { readFileSync } from 'node:fs';
import { SqueezeNet } from '@firelight/nn';
import { noGrad, reshape, softmax, type Tensor, tensor } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { readNpy } from '../helpers/npy.ts';
import { relativeError } from '../helpers/relative-error.ts';
import { sharedPath } from '../helpers/shared.ts';

const folder = sharedPath('squeezenet', 'squeezenet1.1_nchw');
const images = sharedPath('images');

/** SqueezeNet 1.1 with the weights of the ONNX model zoo, whose convolutions are counted from 0. */
function loadPretrained(): SqueezeNet {
  const network = new SqueezeNet({ version: '1.1' });
  const convolutions = network
    .namedParameters()
    .filter(([name]) => name.endsWith('.weight'))
    .map(([name]) => name.slice(0, -'.weight'.length));
  const state = convolutions.flatMap((name, i) =>
    ['weight', 'bias'].map((part): [string, Tensor] => [
      `${name}.${part}`,
      readNpy(`${folder}/weights/squeezenet0_conv${i}_${part}.npy`),
    ]),
  );
  network.loadStateDict(Object.fromEntries(state));
  return network.eval();
}

/** A binary PPM of 224 × 224 as `[1, 3, 224, 224]`, normalized as the weights expect. */
function readPhotograph(name: string): Tensor {
  const pixels = readFileSync(`${images}/224/${name}.ppm`).subarray(-224 * 224 * 3);
  const [mean, std] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ];
  const data = new Float32Array(pixels.length);
  pixels.forEach((byte, at) => {
    const [pixel, channel] = [Math.floor(at / 3), at % 3];
    data[channel * 224 * 224 + pixel] = (byte / 255 - mean[channel]) / std[channel];
  });
  return tensor(data, { shape: [1, 3, 224, 224] });
}

describe.skipIf(folder === null || images === null)(
  'SqueezeNet 1.1 trained on ImageNet (skipped without ../shared/squeezenet and ../shared/images)',
  () => {
    test('gives the outputs that came with the weights', () => {
      const network = loadPretrained();
      const input = readNpy(`${folder}/test_data_set/0/input_0.npy`);
      const expected = readNpy(`${folder}/test_data_set/0/output_0.npy`);
      const logits = noGrad(() => network.forward(input));
      expect(relativeError(logits.data, reshape(expected, logits.shape).data)).toBeLessThan(1e-5);
    }, 60_000);

    test('sees the tabby cat and the pizza', () => {
      const network = loadPretrained();
      const topOf = (name: string): number => {
        const logits = noGrad(() => network.forward(readPhotograph(name)));
        const probabilities = Array.from(softmax(logits).data);
        return probabilities.indexOf(Math.max(...probabilities));
      };
      // ImageNet: 281, 282 and 285 are cats, 963 is pizza.
      expect([281, 282, 285]).toContain(topOf('tabby'));
      expect(topOf('pizza')).toBe(963);
    }, 60_000);
  },
);
