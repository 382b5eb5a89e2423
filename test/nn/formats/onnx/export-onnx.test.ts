import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchNorm2d, Linear, Module, ResNet, Sequential } from '@firelight/nn';
import { exportOnnx, importOnnx } from '@firelight/nn/formats';
import { argsort, Generator, mul, type Tensor, tensor, ValueError, zeros } from '@firelight/tensor';
import { bytesSource } from '@firelight/tensor/formats';
import { describe, expect, test } from 'vitest';
import { readModel } from '../../../../packages/nn/src/formats/onnx/model-proto.ts';
import { expectClose } from '../../../helpers/close.ts';
import { onnxInput } from '../../../helpers/onnx-input.ts';

/** A network of one function. */
class Computed extends Module {
  readonly #f: (x: Tensor) => Tensor;

  constructor(f: (x: Tensor) => Tensor) {
    super();
    this.#f = f;
  }

  forward(x: Tensor): Tensor {
    return this.#f(x);
  }
}

const generator = new Generator(4);
const resnet = new ResNet({ depth: 20, width: 2, numClasses: 5, generator });
const images = { inputShape: [1, 3, 17, 16] };
const modelOf = (bytes: Uint8Array) => readModel(bytesSource(bytes, { name: 'm.onnx' }));

describe('a file', () => {
  test('has names of modules, free batches and what the user says of it', () => {
    const { producer, metadata, nodes, inputs, outputs, irVersion, opsets } = modelOf(
      exportOnnx(resnet, {
        ...images,
        inputName: 'images',
        outputName: 'logits',
        classes: ['a "b"', 'ç'],
        mean: [0.5, 0.25, 0.125],
        std: [1, 2, 3],
        metadata: { licence: 'MIT' },
      }),
    );
    expect([producer, irVersion, [...opsets]]).toEqual(['firelight', 8, [['', 17]]]);
    expect(Object.fromEntries(metadata)).toEqual({
      classes: '["a \\"b\\"","ç"]',
      mean: '[0.5,0.25,0.125]',
      std: '[1,2,3]',
      licence: 'MIT',
    });
    expect(inputs).toMatchObject([{ name: 'images', shape: ['batch', 3, 17, 16] }]);
    expect(outputs).toMatchObject([{ name: 'logits', shape: ['batch', 5] }]);
    expect(nodes.slice(0, 5).map(({ name }) => name)).toEqual([
      '/conv1/Conv',
      '/bn1/BatchNormalization',
      '/bn1/Relu',
      '/layer1/0/conv1/Conv',
      '/layer1/0/bn1/BatchNormalization',
    ]);
    expect(nodes.at(-1)).toMatchObject({ name: '/fc/Gemm', inputs: { length: 3 } });
  });

  test('may be for one batch alone', async () => {
    const bytes = exportOnnx(resnet, { inputShape: [2, 3, 17, 16], dynamicBatch: false });
    expect(modelOf(bytes).inputs[0].shape).toEqual([2, 3, 17, 16]);
    const x = onnxInput([2, 3, 17, 16]);
    resnet.eval();
    expectClose((await importOnnx(bytes)).forward(x), resnet.forward(x));
  });

  test('is a copy: who trains on does not change it', async () => {
    const layer = new Linear({ inFeatures: 2, outFeatures: 2, generator });
    const bytes = exportOnnx(layer, { inputShape: [1, 2] });
    const before = layer.weight.toArray();
    const network = await importOnnx(bytes);
    network.forward(zeros([1, 2])).backward(zeros([1, 2]));
    expect(network.stateDict().weight.toArray()).toEqual(before);
  });

  test('passes the checker of ONNX (skipped without python3-onnx)', ({ skip }) => {
    const folder = mkdtempSync(join(tmpdir(), 'onnx-'));
    try {
      const path = join(folder, 'm.onnx');
      writeFileSync(path, exportOnnx(resnet, images));
      const script = `import onnx; onnx.checker.check_model(onnx.load(${JSON.stringify(path)}), full_check=True)`;
      const { status, stderr } = spawnSync('/usr/bin/python3', ['-c', script], {
        encoding: 'utf8',
      });
      if (status === null || stderr.includes('ModuleNotFoundError')) skip();
      expect(stderr).toBe('');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test('the network is left as it was', () => {
  const network = new Sequential([new BatchNorm2d({ numFeatures: 3 })]);
  const [norm] = network.layers;
  const { forward } = norm;
  norm.eval();
  exportOnnx(network, images);
  expect([network.training, norm.training]).toEqual([true, false]);
  expect(norm.forward).toBe(forward);
  expect(Object.hasOwn(norm, 'forward')).toBe(false);
});

describe('refused are', () => {
  const refused = (network: Module): (() => Uint8Array) => {
    return () => exportOnnx(network, { inputShape: [1, 4] });
  };

  test('operations that no operator is known for', () => {
    const network = refused(new Computed((x) => argsort(x, 1)));
    expect(network).toThrow(ValueError);
    expect(network).toThrow(
      "exportOnnx: the network computes 'argsort', which cannot be written to ONNX yet",
    );
  });

  test('what is computed from elements that were read', () => {
    expect(refused(new Computed((x) => mul(x, tensor(x.data[0]))))).toThrow(
      'exportOnnx: mul has an operand that is not computed by operations when the batch or the images are others',
    );
  });

  test('other operations for another batch', () => {
    expect(refused(new Computed((x) => (x.shape[0] > 2 ? mul(mul(x, 2), 2) : mul(x, 4))))).toThrow(
      'exportOnnx: it computes 1 and 2 operations when the batch or the images are others, so no file is right',
    );
  });

  test('options that there are not', () => {
    expect(() => exportOnnx(resnet, { ...images, batch: 3 } as never)).toThrow(
      "exportOnnx: there is no option 'batch'",
    );
    expect(() => exportOnnx(resnet, { inputShape: [1, -3] })).toThrow(ValueError);
    expect(() => exportOnnx(resnet, { ...images, inputName: 'fc.bias' })).toThrow(
      "exportOnnx: inputName must be a name that no parameter or buffer has, got 'fc.bias'",
    );
    expect(() => exportOnnx(resnet, { ...images, outputName: 'input' })).toThrow(
      'exportOnnx: outputName must be a name that no parameter or buffer has, nor the input',
    );
  });
});
