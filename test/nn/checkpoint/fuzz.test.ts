import { CheckpointError, decodeCheckpoint, Linear, loadParamIntoNet } from '@firelight/nn';
import { DTYPES, Generator } from '@firelight/tensor';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Json, jsonMutantsOf } from '../../helpers/json-mutations.ts';
import { mutantsOf } from '../../helpers/mutations.ts';
import { safetensorsBytes } from '../../helpers/safetensors-bytes.ts';

const header = {
  __metadata__: { format: 'pt', note: 'a' },
  weight: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] },
  bias: { dtype: 'F16', shape: [2], data_offsets: [16, 20] },
  num_batches_tracked: { dtype: 'I64', shape: [], data_offsets: [20, 28] },
  mask: { dtype: 'BOOL', shape: [2], data_offsets: [28, 30] },
  scale: { dtype: 'F8_E5M2', shape: [1, 2], data_offsets: [30, 32] },
};
const data = Uint8Array.from({ length: 32 }, (_, i) => (i < 20 ? i : i % 2));

function expectClear(error: unknown): void {
  expect(error).toBeInstanceOf(CheckpointError);
  // One line that a terminal can show.
  expect((error as Error).message).toMatch(/^file: [^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{10,900}$/u);
}

let [decoded, refused] = [0, 0];

/** Each tensor is whole or refused; a network takes all of its own or stays as it is. */
async function check(bytes: Uint8Array): Promise<void> {
  const network = new Linear({ inFeatures: 2, outFeatures: 2, generator: new Generator(1) });
  const before = network.parameters().map((own) => own.toArray());
  try {
    const checkpoint = await decodeCheckpoint(bytes, 'file');
    for (const name of Object.keys(checkpoint.tensors)) {
      try {
        const { dtype, shape, array } = checkpoint.tensors[name];
        expect(DTYPES).toContain(dtype);
        expect(array.data.length).toBe(shape.reduce((product, n) => product * n, 1));
      } catch (error) {
        expectClear(error);
      }
    }
    loadParamIntoNet(network, checkpoint);
    decoded++;
    expect(network.weight.toArray()).toEqual(checkpoint.tensors.weight.toArray());
  } catch (error) {
    refused++;
    expectClear(error);
    expect(network.parameters().map((own) => own.toArray())).toEqual(before);
  }
}

test('3000 files with changed bytes', async () => {
  await fc.assert(fc.asyncProperty(mutantsOf(safetensorsBytes(header, data)), check), {
    numRuns: 3000,
  });
}, 60_000);

test('3000 files with changed headers', async () => {
  const mutants = fc.tuple(jsonMutantsOf(header as unknown as Json), fc.nat({ max: 40 }));
  await fc.assert(
    fc.asyncProperty(mutants, ([mutant, length]) =>
      // Most with all of the data, some with less or more.
      check(safetensorsBytes(mutant, length < 30 ? data : new Uint8Array(length))),
    ),
    { numRuns: 3000 },
  );
  expect(Math.min(decoded, refused)).toBeGreaterThan(100);
}, 60_000);

test('names of megabytes and of commands are shown short and printable', async () => {
  const long = `\u001b]0;x\u0007\u202e${'y'.repeat(9e6)}`;
  const files = [
    { [long]: { dtype: 'F32', shape: [1], data_offsets: [0, 5] } },
    { [long]: { dtype: long, shape: [4], data_offsets: [0, 4] }, weight: 0 },
    { [long]: { dtype: 'U8', shape: [4], data_offsets: [0, 4] }, b: 0 },
    { [long]: null },
    { __metadata__: { [long]: 1 } },
    { __metadata__: { 'firelight.version': long, 'firelight.sha256': long } },
    Object.fromEntries(
      Array.from({ length: 5000 }, (_, i) => [
        `${i}\u009b${'z'.repeat(200)}`,
        { dtype: 'U8', shape: [0], data_offsets: [0, 0] },
      ]),
    ),
  ];
  for (const file of files) await check(safetensorsBytes(file, 'weight' in file ? 4 : 0));
  const dtype = { x: { dtype: long, shape: [1], data_offsets: [0, 0] } };
  const { tensors } = await decodeCheckpoint(safetensorsBytes(dtype), 'file');
  expect(() => tensors.x).toThrow(
    /has dtype '\\u001b\]0;x\\u0007\\u202ey{18}…'; supported are F64/,
  );
});
