import { SqueezeNet, type SqueezeNetOptions } from '@firelight/nn';
import { loadInto, openCheckpoint } from '@firelight/nn/formats';
import { noGrad, reshape, softmax, type Tensor } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import deepCompression from '../../fixtures/deep-compression/expected.json' with { type: 'json' };
import { readNpy } from '../../helpers/npy.ts';
import { PHOTOGRAPHS, readPhotograph } from '../../helpers/photographs.ts';
import { relativeError } from '../../helpers/relative-error.ts';
import { sharedPath } from '../../helpers/shared.ts';

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

/** As the weights expect it: red, green, blue, each with mean 0 and deviation 1. */
const normalized = (name: string): Tensor =>
  readPhotograph(name, [
    { from: 'red', scale: (byte) => (byte / 255 - 0.485) / 0.229 },
    { from: 'green', scale: (byte) => (byte / 255 - 0.456) / 0.224 },
    { from: 'blue', scale: (byte) => (byte / 255 - 0.406) / 0.225 },
  ]);

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
        const logits = noGrad(() => network.forward(normalized(name)));
        const probabilities = Array.from(softmax(logits).data);
        return probabilities.indexOf(Math.max(...probabilities));
      };
      for (const name of ['tabby', 'pizza']) expect(PHOTOGRAPHS[name]).toContain(topOf(name));
    }, 60_000);
  },
);

const compressed = sharedPath('interop', 'compressed_SqueezeNet.net');

/** Caffe's SqueezeNet 1.0, with the weights of "Deep Compression". */
async function loadCompressed(options: SqueezeNetOptions): Promise<SqueezeNet> {
  const network = new SqueezeNet(options);
  loadInto(network, await openCheckpoint(compressed as string));
  return network.eval();
}

/** As Caffe takes it: blue, green, red, minus the mean of the training images. */
const ofCaffe = (name: string): Tensor =>
  readPhotograph(name, [
    { from: 'blue', scale: (byte) => byte - 104 },
    { from: 'green', scale: (byte) => byte - 117 },
    { from: 'red', scale: (byte) => byte - 123 },
  ]);

describe.skipIf(compressed === null || images === null)(
  'SqueezeNet 1.0 of Caffe (skipped without ../shared/interop and ../shared/images)',
  () => {
    test("sees all photographs right with pooling: 'ceil', as PyTorch does", async () => {
      const network = await loadCompressed({ pooling: 'ceil' });
      for (const [name, classes] of Object.entries(PHOTOGRAPHS)) {
        const logits = noGrad(() => network.forward(ofCaffe(name)));
        const probabilities = softmax(logits).data;
        const top = deepCompression[name as keyof typeof deepCompression];
        expect(classes, name).toContain(probabilities.indexOf(Math.max(...probabilities)));
        for (const { class: label, logit, probability } of top) {
          expect(Math.abs(logits.data[label] / logit - 1), name).toBeLessThan(1e-5);
          expect(Math.abs(probabilities[label] - probability), name).toBeLessThan(2e-5);
        }
      }
    }, 60_000);

    test('sees a puppy only with the pooling of its training', async () => {
      const network = await loadCompressed({ pooling: 'floor' });
      const { data } = noGrad(() => softmax(network.forward(ofCaffe('puppy'))));
      expect(PHOTOGRAPHS.puppy).not.toContain(data.indexOf(Math.max(...data)));
    }, 60_000);
  },
);
