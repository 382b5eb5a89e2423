import { readFileSync } from 'node:fs';
import { CheckpointError, loadParamIntoNet, ResNet } from '@firelight/nn';
import { exportOnnx, importOnnx, openCheckpoint } from '@firelight/nn/formats';
import { Generator } from '@firelight/tensor';
import { bytesSource } from '@firelight/tensor/formats';
import { expect, test } from 'vitest';
import { ONNX } from '../../../../packages/nn/src/formats/onnx/onnx-format.ts';
import { fuzzReader } from '../../../helpers/fuzz-reader.ts';
import { onnxBytes } from '../../../helpers/onnx-bytes.ts';

const fixture = readFileSync(new URL('../../../fixtures/onnx/resnet20.onnx', import.meta.url));
const optionsOf = (seed: number) =>
  ({
    depth: 20,
    width: 2,
    numClasses: 5,
    shortcut: 'projection',
    generator: new Generator(seed),
  }) as const;

test('openCheckpoint gives the weights of an ONNX file to a network of ours', async () => {
  const network = new ResNet(optionsOf(1));
  const checkpoint = await openCheckpoint(fixture);
  expect(checkpoint.isForeign).toBe(true);
  loadParamIntoNet(network, checkpoint);
  const expected = (await importOnnx(fixture)).stateDict();
  for (const [name, { data }] of Object.entries(network.stateDict())) {
    expect(data, name).toEqual(expected[name].data);
  }
});

test('and those of one that we wrote', async () => {
  const [from, to] = [new ResNet(optionsOf(2)), new ResNet(optionsOf(3))];
  const bytes = exportOnnx(from, { inputShape: [1, 3, 8, 8], metadata: { epoch: '3' } });
  const checkpoint = await openCheckpoint(bytes);
  expect(checkpoint.metadata).toEqual({ epoch: '3' });
  const weights = Object.keys(from.stateDict());
  expect(Object.keys(checkpoint.tensors)).toEqual(expect.arrayContaining(weights));
  const state = Object.fromEntries(weights.map((name) => [name, checkpoint.tensors[name]]));
  to.loadStateDict(state);
  expect(to.stateDict()['fc.weight'].data).toEqual(from.stateDict()['fc.weight'].data);
});

test('tensors in other files are left to importOnnx', async () => {
  const external = { location: 'b.bin' };
  const bytes = onnxBytes({
    nodes: [{ operator: 'Add', inputs: ['x', 'b'] }],
    initializers: { b: { shape: [2], values: [], external } },
  });
  const { tensors } = await openCheckpoint(bytes, { name: 'm.onnx' });
  expect(() => tensors.b).toThrow(CheckpointError);
  expect(() => tensors.b).toThrow(
    "m.onnx: tensor 'b' is in the file 'b.bin', which importOnnx reads with the model",
  );
});

test('100 files with changed bytes', async () => {
  const read = async (bytes: Uint8Array): Promise<void> => {
    const source = bytesSource(bytes, { name: 'file', error: CheckpointError });
    ONNX.recognise(source);
    const { tensors } = ONNX.read(source);
    for (const name of Object.keys(tensors))
      expect(tensors[name].data).toHaveLength(tensors[name].size);
  };
  const count = await fuzzReader([fixture], read, { numRuns: 100 });
  expect(count.refused).toBeGreaterThan(0);
});
