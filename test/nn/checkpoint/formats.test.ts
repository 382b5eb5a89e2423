import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CheckpointError,
  type CheckpointFormat,
  decodeCheckpoint,
  encodeCheckpoint,
  Linear,
  latestCheckpoint,
  loadCheckpoint,
  loadParamIntoNet,
  registerCheckpointFormat,
  saveCheckpoint,
} from '@firelight/nn';
import { Generator, type Tensor, tensor, ValueError } from '@firelight/tensor';
import { firstBytes } from '@firelight/tensor/formats';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** A made-up format: a line that says so, then JSON. */
const BEGINNING = 'toy weights\n';
const toy: CheckpointFormat = {
  name: 'toy',
  extensions: ['.toy', '.toys'],
  recognise: (source) => new TextDecoder().decode(firstBytes(source, 12)) === BEGINNING,

  read(source) {
    const text = new TextDecoder().decode(source.bytes(BEGINNING.length, source.size));
    if (!text.endsWith('\n')) throw source.error('is cut; fetch it again');
    const { metadata, entries } = JSON.parse(text);
    const tensors: Record<string, Tensor> = {};
    for (const [name, { shape, values }] of Object.entries<{ shape: []; values: [] }>(entries)) {
      Object.defineProperty(tensors, name, {
        get: () => tensor(values, { shape, dtype: 'float32' }),
        enumerable: true,
      });
    }
    return { tensors, metadata };
  },

  write({ tensors, metadata }) {
    const entries: Record<string, unknown> = {};
    for (const [name, { shape, data }] of Object.entries(tensors)) {
      entries[name] = { shape, values: Array.from(data) };
    }
    if (metadata.note === 'unspeakable') throw new ValueError('toy: cannot hold this');
    return new TextEncoder().encode(`${BEGINNING}${JSON.stringify({ metadata, entries })}\n`);
  },
};
registerCheckpointFormat(toy);
const { recognise, read } = toy;
registerCheckpointFormat({ name: 'old', extensions: ['.old'], recognise, read });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-formats-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const networkOf = (seed: number): Linear =>
  new Linear({ inFeatures: 3, outFeatures: 2, generator: new Generator(seed) });
const expectSame = (a: Linear, b: Linear): void => {
  for (const [name, own] of Object.entries(a.stateDict())) {
    expect(b.stateDict()[name].data).toEqual(own.data);
  }
};
const beginning = async (path: string): Promise<string> =>
  (await readFile(path, 'latin1')).slice(0, 12);

test.each([
  ['by its extension', 'a.toys', {}, 'a.toys'],
  ['by the option', 'b', { format: 'toy' }, 'b.toy'],
  [
    'by the option, whatever the extension',
    'c.safetensors',
    { format: 'toy' },
    'c.safetensors.toy',
  ],
])('a format of the user is chosen %s', async (_, name, options, expected) => {
  const [saved, other] = [networkOf(1), networkOf(2)];
  const path = await saveCheckpoint(saved, join(folder, name), { note: 'hello' }, options);
  expect(path).toBe(join(folder, expected));
  expect(await beginning(path)).toBe(BEGINNING);
  const checkpoint = await loadCheckpoint(path);
  expect([checkpoint.metadata, checkpoint.file]).toEqual([{ note: 'hello' }, path]);
  expect(loadParamIntoNet(other, checkpoint)).toEqual([]);
  expectSame(saved, other);
});

test('files are read by what they hold, not by their names', async () => {
  const network = networkOf(3);
  const [asToy, asOurs] = [join(folder, 'CKP-1_1.safetensors'), join(folder, 'ours.toy')];
  await rename(await saveCheckpoint(network, join(folder, 'd.toy')), asToy);
  await rename(await saveCheckpoint(network, join(folder, 'd')), asOurs);
  expect(await beginning(asToy)).toBe(BEGINNING);
  expect(await beginning(asOurs)).not.toBe(BEGINNING);
  for (const checkpoint of [
    await latestCheckpoint(folder),
    await loadCheckpoint(asToy),
    await loadCheckpoint(asOurs),
  ]) {
    const other = networkOf(4);
    loadParamIntoNet(other, checkpoint ?? {});
    expectSame(network, other);
  }
  expect((await loadCheckpoint(asOurs)).isForeign).toBe(false);
});

test('bytes need no file', async () => {
  const snapshot = { tensors: networkOf(5).stateDict(), metadata: { a: 'b' } };
  const bytes = await encodeCheckpoint(snapshot, { format: 'toy' });
  const { tensors, metadata } = await decodeCheckpoint(bytes, 'memory');
  expect(metadata).toEqual({ a: 'b' });
  expect(tensors.weight.data).toEqual(snapshot.tensors.weight.data);
  await expect(decodeCheckpoint(bytes.slice(0, -1), 'memory')).rejects.toThrow(
    new CheckpointError('memory: is cut; fetch it again'),
  );
});

test('a file that cannot be written leaves the one before', async () => {
  const own = await mkdtemp(join(folder, 'whole-'));
  const path = await saveCheckpoint(networkOf(6), join(own, 'e.toy'));
  const before = await readFile(path);
  await expect(saveCheckpoint(networkOf(7), path, { note: 'unspeakable' })).rejects.toThrow(
    new ValueError('toy: cannot hold this'),
  );
  expect(await readFile(path)).toEqual(before);
  expect(await readdir(own)).toEqual(['e.toy']);
});

test('a format that can only be read is not written', async () => {
  const network = networkOf(8);
  expect(await saveCheckpoint(network, join(folder, 'f.old'))).toMatch(/f\.old\.safetensors$/);
  await expect(saveCheckpoint(network, join(folder, 'f'), {}, { format: 'old' })).rejects.toThrow(
    "saveCheckpoint: nothing can be written in the checkpoint format 'old'; use 'safetensors', 'toy'",
  );
  const snapshot = { tensors: network.stateDict(), metadata: {} };
  await expect(encodeCheckpoint(snapshot, { format: 'none' })).rejects.toThrow(
    "encodeCheckpoint: there is no checkpoint format 'none'; use 'safetensors', 'toy'",
  );
});

test('registering a name or an extension twice, or a wrong one, is refused', () => {
  const refused = (changes: Partial<CheckpointFormat>, message: RegExp): void => {
    const format = { ...toy, name: 'other', extensions: ['.other'], ...changes };
    expect(() => registerCheckpointFormat(format)).toThrow(message);
  };
  refused({ name: 'safetensors' }, /name must be one that is not empty and not taken, got 'safet/);
  refused({ name: '' }, /name must be one that is not empty/);
  refused({ extensions: ['.a', '.toys'] }, /extensions must be such as are not taken, got/);
  refused({ extensions: [] }, /extensions must be a list of some that begin with '\.', got \[\]/);
  refused({ extensions: ['toy'] }, /extensions must be a list of some that begin with '\.'/);
  registerCheckpointFormat(toy); // The same once more changes nothing.
});
