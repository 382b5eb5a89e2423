import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError } from '@firelight/nn';
import { importOnnx } from '@firelight/nn/formats';
import { ShapeError, tensor, ValueError, zeros } from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onnxBytes, type WrittenModel } from '../../../helpers/onnx-bytes.ts';

const imported = (model: WrittenModel) => importOnnx(onnxBytes(model), { name: 'm.onnx' });
const bias = { shape: [2], values: [1, 2] };

describe('graphs that are not whole', () => {
  test.each<[string, WrittenModel]>([
    [
      "m.onnx: needs operators that are not known here: 'Loop', 'NonMaxSuppression', 'com.microsoft.FusedConv'; " +
        'export it without them, or run it with onnxruntime-web',
      {
        nodes: [
          { operator: 'NonMaxSuppression' },
          { operator: 'FusedConv', domain: 'com.microsoft' },
          { operator: 'Loop' },
          { operator: 'Loop' },
        ],
      },
    ],
    [
      "m.onnx: node 'y' (Relu) takes 'z', which nothing before it gives; it is damaged",
      { nodes: [{ operator: 'Relu', inputs: ['z'] }] },
    ],
    [
      "m.onnx: node 'x' (Relu) gives 'x' a second time; it is damaged",
      { nodes: [{ operator: 'Relu', outputs: ['x'] }] },
    ],
    [
      "m.onnx: has no node for the output 'y'; it is damaged",
      { nodes: [{ operator: 'Relu', outputs: ['z'] }] },
    ],
    [
      'm.onnx: needs opset 99; 6 to 28 are known here, so export it with one of these',
      { nodes: [{ operator: 'Relu' }], opset: 99 },
    ],
    [
      "m.onnx: tensor 'b' of shape [3] needs 3 elements of float32, and has 8 bytes; the file is cut off or damaged",
      { nodes: [{ operator: 'Relu' }], initializers: { b: { shape: [3], values: [1, 2] } } },
    ],
    [
      "m.onnx: tensor 'b' has elements of ONNX's type 15, which are not computed here; supported are float32, uint8, " +
        'int8, uint16, int16, int32, bool, float64, uint32, int64, float16, uint64, bfloat16',
      { nodes: [{ operator: 'Relu' }], initializers: { b: { ...bias, code: 15 } } },
    ],
    [
      "m.onnx: tensor 'b' has the element 5000000000, which int32 does not hold",
      {
        nodes: [{ operator: 'Reshape', inputs: ['x', 'b'] }],
        initializers: { b: { shape: [1], values: [5e9], code: 7 } },
      },
    ],
  ])('%s', async (message, model) => {
    await expect(imported(model)).rejects.toThrow(CheckpointError);
    await expect(imported(model)).rejects.toThrow(message);
  });

  test('what is no ONNX file', async () => {
    const bytes = new TextEncoder().encode('no ONNX');
    await expect(importOnnx(bytes, { name: 'm.onnx' })).rejects.toThrow(CheckpointError);
    await expect(importOnnx(new Uint8Array(), { name: 'm.onnx' })).rejects.toThrow(
      'm.onnx: holds no graph with its version of operators, so it is no ONNX model',
    );
  });
});

describe('calls', () => {
  test('name the node whose operation does not fit', async () => {
    const network = await imported({
      nodes: [{ operator: 'MatMul', inputs: ['x', 'w'] }],
      initializers: { w: { shape: [3, 1], values: [1, 2, 3] } },
    });
    expect(() => network.forward(zeros([1, 2]))).toThrow(ShapeError);
    expect(() => network.forward(zeros([1, 2]))).toThrow(
      "node 'y' (MatMul): matmul: inner lengths",
    );
  });

  test('say which inputs there are', async () => {
    const network = await imported({
      nodes: [{ operator: 'Add', inputs: ['x', 'z'] }],
      inputs: { x: ['batch', 2], z: [1, 2] },
    });
    expect(() => network.forward(zeros([1, 2]))).toThrow(
      "OnnxNetwork: has inputs 'x', 'z' and outputs 'y'; call run with all of them by name",
    );
    expect(() => network.run({ x: zeros([1, 2]), w: zeros([1]) })).toThrow(
      "OnnxNetwork: run needs the inputs 'x', 'z'; 'z' is missing; there is no 'w'",
    );
    expect(() => network.run({ x: zeros([1, 3]), z: zeros([1, 2]) })).toThrow(
      "OnnxNetwork: input 'x' must be [batch, 2], got [1, 3]",
    );
    expect(() => network.run({ x: zeros([1, 2], { dtype: 'int32' }), z: zeros([1, 2]) })).toThrow(
      "OnnxNetwork: input 'x' must be float32, got int32",
    );
    expect(network.run({ x: tensor([[1, 2]]), z: tensor([[3, 4]]) }).y.toArray()).toEqual([[4, 6]]);
  });

  test('refuse attributes that nobody knows, and inputs that are missing', async () => {
    const odd = await imported({ nodes: [{ operator: 'Relu', attributes: { slope: 3 } }] });
    expect(() => odd.forward(zeros([1, 2]))).toThrow(
      "m.onnx: node 'y' (Relu) has attributes that are not known here: 'slope'",
    );
    const short = await imported({ nodes: [{ operator: 'MatMul' }] });
    expect(() => short.forward(zeros([1, 2]))).toThrow(ValueError);
    expect(() => short.forward(zeros([1, 2]))).toThrow(
      "m.onnx: node 'y' (MatMul) input 1 is left out, and has to be there",
    );
  });
});

test('names of tensors may be anything', async () => {
  const names = [
    '__proto__',
    'constructor',
    'a',
    'a.b',
    'a.b.c',
    '.',
    'x.'.repeat(50_000),
    'toString',
  ];
  const network = await imported({
    nodes: names.map((name, i) => ({
      operator: 'Add',
      inputs: [i === 0 ? 'x' : `y${i - 1}`, name],
      outputs: [i === names.length - 1 ? 'y' : `y${i}`],
    })),
    initializers: Object.fromEntries(names.map((name) => [name, bias]).reverse()),
  });
  expect(network.forward(zeros([1, 2])).toArray()).toEqual([[8 + 0, 16]]);
  expect(network.parameters()).toHaveLength(names.length);
  expect(Object.keys(Object.prototype)).toEqual([]);
});

describe('tensors in other files', () => {
  const folders: string[] = [];
  let folder = '';
  const model = (location: string): Uint8Array =>
    onnxBytes({
      nodes: [{ operator: 'Add', inputs: ['x', 'b'] }],
      initializers: { b: { ...bias, external: { location, offset: '4', length: '8' } } },
    });
  const write = async (path: string, location: string): Promise<string> => {
    await writeFile(join(folder, path), model(location));
    return join(folder, path);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'onnx-'));
    folders.push(folder);
    await mkdir(join(folder, 'inner'));
    const data = new Uint8Array(new Float32Array([9, 1, 2]).buffer);
    await writeFile(join(folder, 'b.bin'), data);
    await writeFile(join(folder, 'inner/b.bin'), data);
    await symlink('../b.bin', join(folder, 'inner/out.bin'));
    await symlink('b.bin', join(folder, 'in.bin'));
  });
  afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true }))));

  test.each(['b.bin', 'inner/b.bin', 'in.bin'])('%s is read', async (location) => {
    const network = await importOnnx(await write('model.onnx', location));
    expect(network.forward(zeros([1, 2])).toArray()).toEqual([[1, 2]]);
  });

  test.each(['../b.bin', '/etc/passwd', 'inner/../../b.bin', 'C:\\b.bin', '', '.', 'a//b'])(
    '%s is outside of the folder',
    async (location) => {
      const path = await write('inner/model.onnx', location);
      await expect(importOnnx(path)).rejects.toThrow("which is not in the model's folder");
    },
  );

  test('a link out of the folder is not followed, and a missing file said so', async () => {
    await expect(importOnnx(await write('inner/model.onnx', 'out.bin'))).rejects.toThrow(
      "a link that leads out of the model's folder",
    );
    await expect(importOnnx(await write('model.onnx', 'none.bin'))).rejects.toThrow(
      'none.bin: there is no such file',
    );
  });

  test('or its bytes are given', async () => {
    const bytes = new Uint8Array(new Float32Array([0, 3, 4]).buffer);
    const network = await importOnnx(model('b.bin'), { externalData: { 'b.bin': bytes } });
    expect(network.forward(zeros([1, 2])).toArray()).toEqual([[3, 4]]);
    await expect(importOnnx(model('b.bin'), { name: 'm.onnx' })).rejects.toThrow(
      "m.onnx: has tensors in the file 'b.bin'; pass its bytes as externalData: { 'b.bin': … }",
    );
    const short = { 'b.bin': bytes.subarray(0, 8) };
    await expect(importOnnx(model('b.bin'), { externalData: short })).rejects.toThrow(
      'b.bin: ends at byte 8 where bytes 4 to 12 should be',
    );
  });
});
