import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Linear, Momentum, ResNet, SoftmaxCrossEntropyWithLogits } from '@firelight/nn';
import { importOnnx } from '@firelight/nn/formats';
import { noGrad, setBackend, type Tensor, tensor } from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import outputs from '../../../fixtures/onnx/outputs.json' with { type: 'json' };
import { expectClose } from '../../../helpers/close.ts';
import { onnxInput } from '../../../helpers/onnx-input.ts';
import { relativeError } from '../../../helpers/relative-error.ts';
import { sharedPath } from '../../../helpers/shared.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../fixtures/onnx/${name}.onnx`, import.meta.url));

/** Float32 through some twenty layers, where both sides round otherwise. */
const TOLERANCE = 1e-5;

afterAll(() => setBackend('wasm'));

describe.each(['reference', 'wasm'])('networks as PyTorch exports them, on %s', (backend) => {
  // The definition would take long for the others.
  const isSmall = (name: string): boolean => ['mobilenet', 'upsampler', 'vit-9'].includes(name);
  const names = Object.keys(outputs).filter((name) => backend === 'wasm' || isSmall(name));
  test.each(names as (keyof typeof outputs)[])('%s', async (name) => {
    await setBackend(backend);
    const { shape, output, opset } = outputs[name];
    const network = await importOnnx(fixture(name));
    expect(network.training).toBe(false);
    expect(network.opset).toBe(opset);
    expect(network.producer).toBe('pytorch 1.13.0');
    const y = noGrad(() => network.forward(onnxInput(shape)));
    expect(relativeError(y.data, output)).toBeLessThanOrEqual(TOLERANCE);
    // Other batches than that of the export.
    const single = noGrad(() => network.forward(onnxInput([1, ...shape.slice(1)])));
    expect(relativeError(single.data, output.slice(0, single.size))).toBeLessThanOrEqual(TOLERANCE);
  });
});

interface Expected {
  readonly 'onnx-ort'?: Readonly<Record<string, unknown>> & {
    readonly input: Readonly<Record<string, number[]>>;
  };
}
interface Output {
  readonly dims: number[];
  readonly sum: number;
  readonly first: number[];
}

const interop = sharedPath('interop', 'expected.json');

test.skipIf(interop === null)(
  'files of PyTorch, CNTK and Caffe2 (skipped without ../shared/interop)',
  async () => {
    // Python writes NaN, which is no JSON.
    const text = readFileSync(interop as string, 'utf8').replaceAll('NaN', 'null');
    let count = 0;
    for (const [file, { 'onnx-ort': expected }] of Object.entries(
      JSON.parse(text) as Record<string, Expected>,
    )) {
      if (expected === undefined) continue;
      const network = await importOnnx(sharedPath('interop', file) as string);
      const { input, ...results } = expected;
      const given = Object.entries(input).map(([name, shape]) => [name, onnxInput(shape)]);
      const actual = noGrad(() => network.run(Object.fromEntries(given)));
      for (const [name, each] of Object.entries(results)) {
        const { dims, first, sum } = each as Output;
        const { shape, data } = actual[name];
        expect(shape, file).toEqual(dims);
        expect(relativeError(data.slice(0, first.length), first), file).toBeLessThan(1e-5);
        expect(Math.abs(Array.from(data).reduce((all, x) => all + x, 0) - sum), file).toBeLessThan(
          1e-5 * data.length,
        );
        count++;
      }
    }
    expect(count).toBe(5);
  },
);

describe('weights', () => {
  test('have the names of the network that was exported, also where equal ones were merged', async () => {
    const [network, own] = [
      await importOnnx(fixture('resnet20')),
      new ResNet({ depth: 20, width: 2, numClasses: 5, shortcut: 'projection' }),
    ];
    const namesOf = (entries: [string, Tensor][]): string[] =>
      entries.map(([name, { shape }]) => `${name} ${shape}`).sort();
    expect(namesOf(network.namedParameters())).toEqual(namesOf(own.namedParameters()));
    expect(namesOf(network.namedBuffers())).toEqual(namesOf(own.namedBuffers()));
    own.loadStateDict(network.stateDict());
    const x = onnxInput([2, 3, 17, 16]);
    expectClose(own.eval().forward(x), network.forward(x));
  });

  test('are trained as those of the same network of ours', async () => {
    const network = await importOnnx(fixture('resnet20'));
    const own = new ResNet({ depth: 20, width: 2, numClasses: 5, shortcut: 'projection' });
    own.loadStateDict(network.stateDict());
    const x = onnxInput([4, 3, 17, 16]);
    const labels = tensor([0, 3, 1, 4], { dtype: 'int32' });
    const loss = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
    for (const each of [network, own]) {
      each.train();
      const optimizer = new Momentum(each.parameters(), { learningRate: 0.01, momentum: 0.9 });
      for (let step = 0; step < 2; step++) {
        optimizer.zeroGrad();
        loss.forward(each.forward(x), labels).backward();
        optimizer.step();
      }
    }
    const trained = network.stateDict();
    for (const [name, expected] of Object.entries(own.stateDict())) {
      // Weights, and running statistics of the batches.
      expect(relativeError(trained[name].data, expected.data), name).toBeLessThan(1e-4);
    }
    const gradients = new Map(network.namedParameters().map(([name, { grad }]) => [name, grad]));
    for (const [name, { grad }] of own.namedParameters()) {
      const actual = gradients.get(name)?.data ?? [];
      expect(relativeError(actual, grad?.data ?? []), name).toBeLessThan(1e-3);
    }
  });

  test('of a part can be frozen, with the norms in it', async () => {
    const network = await importOnnx(fixture('resnet20'));
    const frozen = network.getSubmodule('layer1').freeze();
    const before = new Map(
      network.namedBuffers().map(([name, { data }]) => [name, Array.from(data)]),
    );
    network.train().forward(onnxInput([4, 3, 17, 16]));
    expect(frozen.training).toBe(false);
    for (const [name, { data }] of network.namedBuffers()) {
      const isSame = Array.from(data).every((value, i) => value === before.get(name)?.[i]);
      expect(isSame, name).toBe(name.startsWith('layer1.'));
    }
  });

  test('a layer behind the network can be trained with it', async () => {
    const network = await importOnnx(fixture('mobilenet'));
    const head = new Linear({ inFeatures: 5, outFeatures: 2 });
    const y = head.forward(network.forward(onnxInput([2, 3, 20, 16])));
    y.backward(tensor([1, 0, 0, 1], { shape: [2, 2] }));
    expect(network.parameters().every(({ grad }) => grad !== null)).toBe(true);
  });
});
