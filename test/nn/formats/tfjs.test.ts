import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError, type Conv2d } from '@firelight/nn';
import { type LayersModel, openLayersModel } from '@firelight/nn/formats';
import { noGrad, permute, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasInterop, interopPath } from '../../helpers/interop.ts';
import { type Json, jsonMutantsOf } from '../../helpers/json-mutations.ts';
import { relativeError } from '../../helpers/relative-error.ts';

interface Fixture {
  readonly model: Json;
  readonly shards: Readonly<Record<string, string>>;
  readonly inputShape: readonly number[];
  readonly output: { readonly shape: number[]; readonly data: number[] };
}

/** What test/fixtures/tfjs/make.py and make.mjs wrote. */
function fixture(name: string): Fixture {
  return JSON.parse(
    readFileSync(join(import.meta.dirname, '../../fixtures/tfjs', `${name}.json`), 'utf8'),
  );
}

const encode = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json));
const shardsOf = ({ shards }: Fixture) =>
  Object.fromEntries(
    Object.entries(shards).map(([path, text]) => [
      path,
      new Uint8Array(Buffer.from(text, 'base64')),
    ]),
  );
const open = (found: Fixture, model: unknown = found.model): Promise<LayersModel> =>
  openLayersModel({ model: encode(model), shards: shardsOf(found) });

/** A batch of two: x[i] = ((i · 37) mod 101) / 50 − 1 in the order of Keras, then in ours. */
function input(shape: readonly number[]) {
  const count = shape.reduce((product, length) => product * length, 2);
  const data = Float32Array.from({ length: count }, (_, i) => ((i * 37) % 101) / 50 - 1);
  const x = tensor(data, { shape: [2, ...shape] });
  return shape.length === 3 ? permute(x, [0, 3, 1, 2]) : x;
}

describe('models give what the formulas of Keras give', () => {
  test.each<[name: string, tolerance: number]>([
    ['convolutions', 1e-6],
    ['keras-form', 1e-6],
    ['old-form', 1e-6],
    ['flat-output', 1e-6],
    ['separable', 1e-6],
    ['uint8', 2e-2],
    ['uint16', 1e-4],
    ['float16', 1e-3],
    // Made by TensorFlow.js itself, in float32.
    ['mobile-net', 1e-5],
    ['branches', 1e-5],
    ['nested', 1e-5],
  ])('%s', async (name, tolerance) => {
    const found = fixture(name);
    const { network, inputShape, unused } = await open(found);
    const [H, W, C] = found.inputShape;
    expect([inputShape, unused, network.training]).toEqual([[C, H, W], [], false]);
    const y = noGrad(() => network.forward(input(found.inputShape)));
    expect(y.shape).toEqual(found.output.shape);
    expect(relativeError(y.data, found.output.data)).toBeLessThan(tolerance);
  });

  test.skipIf(!hasInterop)(
    'a real one, as TensorFlow.js itself (skipped without ../shared/interop)',
    async () => {
      const { network, inputShape, unused } = await openLayersModel({
        model: new Uint8Array(readFileSync(interopPath('tfjs-abalone-model.json'))),
        shards: {
          'weights.bin': new Uint8Array(readFileSync(interopPath('tfjs-abalone-weights.bin'))),
        },
      });
      expect([inputShape, unused]).toEqual([[8], []]);
      const y = noGrad(() => network.forward(input([8])));
      expect(relativeError(y.data, [10.034187316894531, 7.215122699737549])).toBeLessThan(1e-6);
      expect(Object.keys(network.stateDict())).toEqual([
        'dense_Dense1.weight',
        'dense_Dense1.bias',
        'dense_Dense2.weight',
        'dense_Dense2.bias',
        'dense_Dense3.weight',
        'dense_Dense3.bias',
      ]);
    },
  );

  test('one whose outputs meet is trained too, and keeps the names', async () => {
    const found = fixture('branches');
    const { network } = await open(found);
    const y = network.train().forward(input(found.inputShape));
    y.backward(
      tensor(
        new Float32Array(y.size).map((_, i) => i),
        { shape: y.shape },
      ),
    );
    expect(network.parameters().every(({ grad }) => grad !== null)).toBe(true);
    const names = Object.keys(network.stateDict());
    expect(names).toContain('separable_conv2d_SeparableConv2D1.weight');
    expect(names).toContain('dense_Dense2.bias');
  });

  test('the network is one to train', async () => {
    const { network } = await open(fixture('convolutions'));
    const first = network.getSubmodule('conv2d_2') as Conv2d;
    expect(first.weight.shape).toEqual([4, 3, 3, 2]);
    expect(first.weight.requiresGrad).toBe(true);
    network
      .train()
      .forward(input([9, 8, 3]))
      .backward(tensor(new Float32Array(6).fill(1), { shape: [2, 3] }));
    expect(network.parameters().every(({ grad }) => grad !== null)).toBe(true);
  });
});

describe('files of a folder', () => {
  let folder: string;
  const found = fixture('convolutions');
  const paths = Object.keys(found.shards);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tfjs-'));
    mkdirSync(join(folder, 'model'));
    for (const [path, bytes] of Object.entries(shardsOf(found))) {
      writeFileSync(join(folder, 'model', path), bytes);
    }
    writeFileSync(join(folder, 'outside.bin'), new Uint8Array(100));
    symlinkSync(join(folder, 'outside.bin'), join(folder, 'model', 'link.bin'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function write(change: (text: string) => string): string {
    const path = join(folder, 'model', 'model.json');
    writeFileSync(path, change(JSON.stringify(found.model)));
    return path;
  }

  test('are read where TensorFlow.js says that they lie, beside model.json', async () => {
    const saved = fixture('nested');
    const place = join(folder, 'saved');
    mkdirSync(place);
    writeFileSync(join(place, 'model.json'), JSON.stringify(saved.model));
    expect(JSON.stringify(saved.model)).toContain('"paths":["./model.weights.bin"]');
    const weights = shardsOf(saved)['model.weights.bin'];
    writeFileSync(join(place, 'model.weights.bin'), weights);
    const { network } = await openLayersModel(join(place, 'model.json'));
    const y = noGrad(() => network.forward(input(saved.inputShape)));
    expect(relativeError(y.data, saved.output.data)).toBeLessThan(1e-5);
  });

  test('are read beside model.json', async () => {
    const { network } = await openLayersModel(write((text) => text));
    const y = noGrad(() => network.forward(input(found.inputShape)));
    expect(relativeError(y.data, found.output.data)).toBeLessThan(1e-6);
  });

  test.each([
    '../outside.bin',
    '/etc/hostname',
    'a/../../outside.bin',
    'C:\\x',
    'http://x/y',
    '..',
    'link.bin',
  ])('never from outside: %s', async (path) => {
    const model = write((text) => text.replace(`"${paths[0]}"`, JSON.stringify(path)));
    await expect(openLayersModel(model)).rejects.toThrow(CheckpointError);
    await expect(openLayersModel(model)).rejects.toThrow(
      /model\.json: has its weights in '.*', outside of the folder of model\.json, where nothing is read/,
    );
  });

  test('must be there', async () => {
    const model = write((text) => text.replace(`"${paths[0]}"`, '"lost.bin"'));
    await expect(openLayersModel(model)).rejects.toThrow(
      /lost\.bin: there is no such file or folder/,
    );
    const shards = shardsOf(found);
    delete (shards as Record<string, Uint8Array>)[paths[1]];
    await expect(openLayersModel({ model: encode(found.model), shards })).rejects.toThrow(
      `model.json: has weights in '${paths[1]}', which was not given (there are '${paths[0]}', `,
    );
    await expect(openLayersModel(join(folder, 'none.json'))).rejects.toThrow(
      /none\.json: there is no/,
    );
  });
});

describe('what is refused', () => {
  const found = fixture('convolutions');
  const text = JSON.stringify(found.model);

  test('layers and options that are not read here, all at once', async () => {
    const model = text
      .replace('"class_name":"Dropout"', '"class_name":"GaussianNoise"')
      .replace('"class_name":"Activation"', '"class_name":"LSTM"')
      .replace('"activation":"tanh"', '"activation":"hard_sigmoid"');
    await expect(open(found, JSON.parse(model))).rejects.toThrow(
      'model.json: has what is not read here: DepthwiseConv2D with activation \'"hard_sigmoid"\' ' +
        "('depthwiseconv2d_4'), 'GaussianNoise' ('dropout_6'), 'LSTM' ('activation_9'); convert the model to " +
        'ONNX (tf2onnx) and open that',
    );
  });

  test.each<[what: string, change: (text: string) => string, message: RegExp]>([
    ['no JSON', () => '"x"', /is no JSON object; pass the model\.json of a layers-model/],
    [
      'a graph-model',
      (t) => t.replace('layers-model', 'graph-model'),
      /is a graph-model, of which only/,
    ],
    [
      'no topology',
      (t) => t.replace('modelTopology', 'x'),
      /has no modelTopology and weightsManifest/,
    ],
    [
      'a graph of layers',
      (t) => t.replace('"Sequential"', '"Bidirectional"'),
      /is 'Bidirectional', and only Sequential and Functional are read here/,
    ],
    [
      'a graph without calls',
      (t) => t.replace('"Sequential"', '"Functional"'),
      /layer 'zeropadding2d_1' takes no output of a layer before it/,
    ],
    [
      'no layers',
      () => '{"modelTopology":{"class_name":"Sequential","config":[]},"weightsManifest":[]}',
      /a Sequential without layers/,
    ],
    [
      'a broken layer',
      (t) => t.replace('"class_name":"Flatten"', '"class":1'),
      /layer 6 has no class_name and config/,
    ],
    [
      'a broken group',
      (t) => t.replace('"paths":[', '"paths":[1,'),
      /group 0 of the weightsManifest has no paths/,
    ],
    [
      'a dtype',
      (t) => t.replace('"dtype":"float32"', '"dtype":"string"'),
      /weight 'conv2d_2\/kernel' has dtype 'string'; supported/,
    ],
    [
      'a shape of nonsense',
      (t) => t.replace('"shape":[3,2,3,4]', '"shape":[-1]'),
      /has no name and shape that could be right/,
    ],
    [
      'a huge shape',
      (t) => t.replace('"shape":[3,2,3,4]', '"shape":[9e15,9e15]'),
      /of shape \[9000000000000000, 9000000000000000\] ends at byte/,
    ],
    [
      'a smaller shape',
      (t) => t.replace('"shape":[3,2,3,4]', '"shape":[3,2,3,3]'),
      /needs \d+ bytes in .* and they have \d+/,
    ],
    [
      'an unknown size',
      (t) => t.replace('[null,9,8,3]', '[null,null,8,3]'),
      /an input that is neither images of a known size nor features \('zeropadding2d_1'\)/,
    ],
    [
      'other filters',
      (t) => t.replace('"filters":4', '"filters":5'),
      /weight 'conv2d_2\/kernel' is \[3, 2, 3, 4\], and its layer needs \[3, 2, 3, 5\]/,
    ],
    [
      'a weight of another name',
      (t) => t.replace('"conv2d_2/bias"', '"conv/bias"'),
      /has no weight 'conv2d_2\/bias'/,
    ],
    [
      'a weight twice',
      (t) => t.replace('"conv2d_2/bias"', '"a/conv2d_2/kernel"'),
      /has several weights 'conv2d_2\/kernel'/,
    ],
    [
      'two of a name',
      (t) => t.replace('"conv2d_2/bias"', '"conv2d_2/kernel"'),
      /has two weights 'conv2d_2\/kernel'/,
    ],
    [
      'channels first',
      (t) => t.replace('channels_last', 'channels_first'),
      /Conv2D with data_format '"channels_first"'/,
    ],
    [
      'no rate that can be',
      (t) => t.replace('"rate":0.25', '"rate":7'),
      /layer 'dropout_6': Dropout: p must be in \[0, 1\)/,
    ],
    [
      'Dense on images',
      (t) => t.replace('"class_name":"Flatten"', '"class_name":"Activation"'),
      /Dense on images, without Flatten before it/,
    ],
  ])('%s', async (_, change, message) => {
    const files = { model: new TextEncoder().encode(change(text)), shards: shardsOf(found) };
    await expect(openLayersModel(files)).rejects.toThrow(CheckpointError);
    await expect(openLayersModel(files)).rejects.toThrow(message);
  });

  test('whatever is changed in model.json, it is read or refused', async () => {
    let [read, refused] = [0, 0];
    const mutants = ['convolutions', 'branches', 'nested']
      .map(fixture)
      .map((original) => jsonMutantsOf(original.model).map((model) => [original, model] as const));
    const property = fc.asyncProperty(fc.oneof(...mutants), async ([original, model]) => {
      try {
        await open(original, model);
        read++;
      } catch (error) {
        expect(error).toBeInstanceOf(CheckpointError);
        expect((error as Error).message).toMatch(
          /^model\.json: [^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{10,1500}$/u,
        );
        refused++;
      }
    });
    await fc.assert(property, { numRuns: 500 });
    expect(Math.min(read, refused)).toBeGreaterThan(0);
  });
});

describe('a graph of layers is refused', () => {
  const found = fixture('branches');
  const text = JSON.stringify(found.model);
  const calls = (name: string, output = 0): string => `["${name}",0,${output},{}]`;

  test.each<[what: string, change: (text: string) => string, message: RegExp]>([
    [
      'with a layer that is called twice',
      (t) =>
        t.replace(
          /("inbound_nodes":\[)(\[\["max_pooling2d_MaxPooling2D1",0,0,\{\}\]\])/,
          '$1$2,$2',
        ),
      /not read here: Flatten that is called several times \('flatten_Flatten1'\); convert/,
    ],
    [
      'with a second output of a layer',
      (t) =>
        t.replace(calls('max_pooling2d_MaxPooling2D1'), calls('max_pooling2d_MaxPooling2D1', 1)),
      /layer 'flatten_Flatten1' takes no output of a layer before it/,
    ],
    [
      'with two inputs',
      (t) => t.replace(/\{"name":"conv2d_Conv2D4"/, '{"class_name":"InputLayer","config":{}},$&'),
      /has several inputs, and one is read here/,
    ],
    [
      'with two outputs',
      (t) => t.replace(/"output_layers":\[(\[.*?\])\]/, '"output_layers":[$1,$1]'),
      /has no single output among its layers/,
    ],
    [
      'without an input',
      (t) => t.replace('"class_name":"InputLayer"', '"class_name":"Input"'),
      /layer 'input2' takes no output of a layer before it/,
    ],
    [
      'that adds images of different sizes',
      (t) =>
        t
          .replace('"strides":[1,1]', '"strides":[2,2]')
          .replace(/("name":"conv2d_Conv2D5".*?"strides":)\[1,1\]/, '$1[2,2]'),
      /Add of different shapes \('add_Add1'\)/,
    ],
    [
      'that adds images and features',
      (t) =>
        t
          .replace(
            `[[${calls('flatten_Flatten1')}]]`,
            `[[${calls('max_pooling2d_MaxPooling2D1')}]]`,
          )
          .replace(/"class_name":"Average"/, '"class_name":"Add"')
          .replace(calls('dense_Dense1'), calls('max_pooling2d_MaxPooling2D1')),
      /Add of images and features/,
    ],
    [
      'that concatenates rows',
      (t) => t.replace('"axis":-1,"name":"concatenate', '"axis":1,"name":"concatenate'),
      /Concatenate with axis '1' \('concatenate_Concatenate1'\)/,
    ],
    [
      'that gives a layer several tensors',
      (t) => t.replace('"class_name":"Multiply"', '"class_name":"ReLU"'),
      /ReLU of several tensors \('multiply_Multiply1'\)/,
    ],
    [
      'that subtracts three',
      (t) =>
        t
          .replace('"class_name":"Add"', '"class_name":"Subtract"')
          .replace(
            `${calls('re_lu_ReLU4')},${calls('batch_normalization_BatchNormalization6')}`,
            Array(3).fill(calls('re_lu_ReLU4')).join(),
          ),
      /Subtract of other than two \('add_Add1'\)/,
    ],
    [
      'with several kinds of layers, all at once',
      (t) =>
        t
          .replace('"class_name":"Add"', '"class_name":"Dot"')
          .replaceAll('"class_name":"Conv2D"', '"class_name":"Conv3D"'),
      /not read here: 'Conv3D' \('conv2d_Conv2D4', .*\), 'Dot' \('add_Add1'\); convert/,
    ],
  ])('%s', async (_, change, message) => {
    const changed = change(text);
    expect(changed).not.toBe(text);
    const files = { model: new TextEncoder().encode(changed), shards: shardsOf(found) };
    await expect(openLayersModel(files)).rejects.toThrow(CheckpointError);
    await expect(openLayersModel(files)).rejects.toThrow(message);
  });

  test('with models in models in models', async () => {
    let config: unknown = { layers: [{ class_name: 'Flatten', config: {} }] };
    for (let depth = 0; depth < 30; depth++) {
      config = { layers: [{ class_name: 'Sequential', config }] };
    }
    const model = { modelTopology: { class_name: 'Sequential', config }, weightsManifest: [] };
    await expect(openLayersModel({ model: encode(model), shards: {} })).rejects.toThrow(
      'model.json: has models in models, more than 20 deep; convert',
    );
  });
});
