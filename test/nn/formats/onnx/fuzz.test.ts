import { readFileSync } from 'node:fs';
import { CheckpointError } from '@firelight/nn';
import { importOnnx } from '@firelight/nn/formats';
import { joinBytes } from '@firelight/tensor/formats';
import { expect, test } from 'vitest';
import { bytesField, varintField } from '../../../../packages/nn/src/formats/protobuf.ts';
import { fuzzReader } from '../../../helpers/fuzz-reader.ts';
import { onnxBytes } from '../../../helpers/onnx-bytes.ts';
import { readOnnx } from '../../../helpers/read-onnx.ts';

const fixture = (name: string): Uint8Array =>
  readFileSync(new URL(`../../../fixtures/onnx/${name}.onnx`, import.meta.url));

test.each(['vit-17', 'upsampler'])('150 files with changed bytes of %s', async (name) => {
  const { refused } = await fuzzReader([fixture(name)], readOnnx, { numRuns: 150 });
  expect(refused).toBeGreaterThan(0);
});

test('messages in messages in messages', async () => {
  let bytes: Uint8Array = new Uint8Array();
  for (let depth = 0; depth < 2000; depth++) bytes = joinBytes(bytesField(7, [bytes]));
  const graph = bytesField(7, [joinBytes(bytesField(1, bytesField(5, bytesField(6, [bytes]))))]);
  const file = joinBytes([...graph, ...bytesField(8, varintField(2, 17))]);
  await expect(importOnnx(file, { name: 'file' })).rejects.toThrow(CheckpointError);
});

test('a large tensor with many names', async () => {
  const names = Array.from({ length: 2000 }, (_, i) => `copy${i}`);
  const file = onnxBytes({
    nodes: [
      ...names.map((name) => ({ operator: 'Identity', inputs: ['w'], outputs: [name] })),
      { operator: 'Sum', inputs: ['x', ...names] },
    ],
    initializers: { w: { shape: [100_000], values: new Array<number>(100_000).fill(1) } },
  });
  await expect(importOnnx(file, { name: 'file' })).rejects.toThrow(
    `file: asks for 800000000 bytes of tensors, and has ${file.length} in all; it gives one tensor`,
  );
});

test('many names that become one', async () => {
  // With an empty part, so that none is a path: '..' and any of '.' and '_' behind it.
  const names = Array.from({ length: 4096 }, (_, i) => {
    const rest = i.toString(2).padStart(12, '0');
    return `..${rest.replaceAll('0', '.').replaceAll('1', '_')}`;
  });
  const file = onnxBytes({
    nodes: [{ operator: 'Sum', inputs: ['x', ...names] }],
    initializers: Object.fromEntries(names.map((name) => [name, { shape: [1], values: [1] }])),
  });
  const network = await importOnnx(file);
  const kept = new Set(network.namedBuffers().map(([name]) => name));
  expect(kept.size).toBe(names.length);
  expect(kept).toContain(`${'_'.repeat(14)}_4096`);
});
