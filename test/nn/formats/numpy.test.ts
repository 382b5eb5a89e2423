import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  encodeCheckpoint,
  Linear,
  loadParamIntoNet,
  registerCheckpointFormat,
  saveCheckpoint,
} from '@firelight/nn';
import { NPZ, openCheckpoint } from '@firelight/nn/formats';
import { Generator, tensor, ValueError } from '@firelight/tensor';
import { encodeNpy } from '@firelight/tensor/formats';
import { expect, test } from 'vitest';

test('a network goes into an archive of NumPy and back', async () => {
  registerCheckpointFormat(NPZ);
  const folder = await mkdtemp(join(tmpdir(), 'firelight-npz-'));
  try {
    const [saved, other] = [1, 2].map(
      (seed) => new Linear({ inFeatures: 3, outFeatures: 2, generator: new Generator(seed) }),
    );
    const path = await saveCheckpoint(saved, join(folder, 'weights.npz'));
    const checkpoint = await openCheckpoint(path);
    expect(checkpoint.isForeign).toBe(true);
    loadParamIntoNet(other, checkpoint);
    expect(other.weight.toArray()).toEqual(saved.weight.toArray());
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('it holds no metadata', async () => {
  const snapshot = { tensors: { x: tensor([1]) }, metadata: { note: 'mine' } };
  await expect(encodeCheckpoint(snapshot, { format: 'npz' })).rejects.toThrow(
    new ValueError(
      "npz: holds arrays only, no metadata such as 'note'; leave it out, or save safetensors",
    ),
  );
});

test('one array has the name that NumPy gives the first', async () => {
  const { tensors } = await openCheckpoint(encodeNpy(tensor([1, 2])));
  expect(Object.keys(tensors)).toEqual(['arr_0']);
  expect(tensors.arr_0.toArray()).toEqual([1, 2]);
});
