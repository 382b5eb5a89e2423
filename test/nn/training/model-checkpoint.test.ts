import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Checkpoint,
  Linear,
  latestCheckpoint,
  loadCheckpoint,
  loadParamIntoNet,
  Model,
  ModelCheckpoint,
  type ModelCheckpointOptions,
  Momentum,
  SoftmaxCrossEntropyWithLogits,
  saveCheckpoint,
} from '@firelight/nn';
import { Generator, tensor } from '@firelight/tensor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'firelight-saving-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const batch = { image: tensor([[1, 2]]), label: tensor([1], { dtype: 'int32' }) };
const data = Array.from({ length: 4 }, () => batch);

const createNetwork = (): Linear =>
  new Linear({ inFeatures: 2, outFeatures: 3, generator: new Generator(0) });

const createModel = (network: Linear): Model =>
  new Model({
    network,
    lossFn: new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' }),
    optimizer: new Momentum(network.parameters(), { learningRate: 0.1, momentum: 0.9 }),
    metrics: ['accuracy', 'loss'],
  });

async function trainFor(epochs: number, config: ModelCheckpointOptions): Promise<Linear> {
  const network = createNetwork();
  const callbacks = [new ModelCheckpoint({ directory, prefix: 'Net', ...config })];
  await createModel(network).train(epochs, data, { callbacks, validation: data });
  return network;
}

const saved = async (): Promise<string[]> =>
  (await readdir(directory)).map((name) => name.replace('.safetensors', '')).sort();

describe('ModelCheckpoint', () => {
  test('names files by epoch and step, every so many steps and once more at the end', async () => {
    await trainFor(2, { saveCheckpointSteps: 3 });
    expect(await saved()).toEqual(['Net-1_3', 'Net-2_2', 'Net-2_4']);
  });

  test('keeps the latest, and leaves earlier runs alone', async () => {
    await trainFor(3, { saveCheckpointSteps: 4, keepCheckpointMax: 2 });
    expect(await saved()).toEqual(['Net-2_4', 'Net-3_4']);
    await trainFor(3, { saveCheckpointSteps: 4, keepCheckpointMax: 1 });
    expect(await saved()).toEqual(['Net-2_4', 'Net-3_4', 'Net_1-3_4']);
    await trainFor(1, { saveCheckpointSteps: 4 });
    expect(await saved()).toEqual(['Net-2_4', 'Net-3_4', 'Net_1-3_4', 'Net_2-1_4']);
    const latest = await latestCheckpoint(directory, { prefix: 'Net' });
    expect(latest?.file).toMatch(/Net_2-1_4/);
  });

  test('keeps the best', async () => {
    const network = await trainFor(2, {
      saveCheckpointSteps: 100,
      keepBest: { metric: 'loss', mode: 'min' },
    });
    expect(await saved()).toEqual(['Net-2_4', 'Net-best']);
    const other = new Linear({ inFeatures: 2, outFeatures: 3, generator: new Generator(1) });
    loadParamIntoNet(other, await loadCheckpoint(join(directory, 'Net-best.safetensors')));
    expect(other.weight.toArray()).toEqual(network.weight.toArray());
  });

  test('holds the moments, the step, and strings of the user', async () => {
    await trainFor(1, { saveCheckpointSteps: 2, metadata: { config: '{"a":1}' } });
    const { tensors, metadata } = await loadCheckpoint(join(directory, 'Net-1_2.safetensors'));
    expect(Object.keys(tensors).sort()).toEqual(
      ['bias', 'global_step', 'moments.bias', 'moments.weight', 'weight'].sort(),
    );
    expect(tensors.global_step.toArray()).toEqual([2]);
    expect(metadata).toMatchObject({ epoch: '1', step: '2', globalStep: '2', config: '{"a":1}' });
  });

  test('saves by seconds', async () => {
    await trainFor(1, { saveCheckpointSeconds: 1e-9 });
    expect(await saved()).toEqual(['Net-1_1', 'Net-1_2', 'Net-1_3', 'Net-1_4']);
  });

  test('removes what killed processes left, and nothing of others', async () => {
    // No process has the largest number; ours is running.
    await writeFile(join(directory, '.Net-1_1.safetensors.4194304.tmp'), 'cut');
    await writeFile(join(directory, `.Net-1_2.safetensors.${process.pid}.tmp`), 'growing');
    await writeFile(join(directory, '.Other-1_1.safetensors.4194304.tmp'), 'not ours');
    await trainFor(1, { saveCheckpointSteps: 4 });
    expect((await readdir(directory)).sort()).toEqual([
      `.Net-1_2.safetensors.${process.pid}.tmp`,
      '.Other-1_1.safetensors.4194304.tmp',
      'Net-1_4.safetensors',
    ]);
  });

  test('refuses numbers and names that cannot be', async () => {
    expect(() => new ModelCheckpoint({ saveCheckpointSteps: 0 })).toThrow(
      /saveCheckpointSteps must be an integer ≥ 1, got 0/,
    );
    expect(() => new ModelCheckpoint({ keepCheckpointMax: 1.5 })).toThrow(/keepCheckpointMax/);
    expect(() => new ModelCheckpoint({ saveCheckpointSeconds: 0 })).toThrow(/must be > 0, got 0/);
    expect(() => new ModelCheckpoint({ prefix: 'a/b' })).toThrow(
      /prefix must be part of a file name, not a path, got 'a\/b'/,
    );
    await expect(trainFor(1, { keepBest: { metric: 'f1', mode: 'max' } })).rejects.toThrow(
      /needs the number 'f1' from the validation, which gave: accuracy, loss/,
    );
    await writeFile(join(directory, 'file'), '');
    await expect(trainFor(1, { directory: join(directory, 'file') })).rejects.toThrow(
      /file\/Net-1_1\.safetensors: cannot be saved: .*; what was saved before is whole/,
    );
  });
});

describe('a checkpoint from elsewhere', () => {
  const trainOn = async (resumeFrom: Checkpoint, network = createNetwork()): Promise<Linear> => {
    const callbacks = [new ModelCheckpoint({ directory: join(directory, 'own'), prefix: 'Net' })];
    await createModel(network).train(2, data, { callbacks, resumeFrom });
    return network;
  };

  /** The file of a training after an epoch, with another prefix in its state. */
  async function fileWithPrefix(prefix: string): Promise<string> {
    await trainFor(1, { saveCheckpointSteps: 4 });
    const { tensors, metadata } = await loadCheckpoint(join(directory, 'Net-1_4.safetensors'));
    const training = JSON.parse(metadata.training);
    training.callbacks.ModelCheckpoint.prefix = prefix;
    const changed = { ...metadata, training: JSON.stringify(training) };
    return saveCheckpoint({ tensors, metadata: changed }, join(directory, 'hostile'));
  }

  test('writes nothing outside the folder, and changes nothing', async () => {
    const file = await fileWithPrefix('../evil');
    const network = createNetwork();
    const before = network.weight.toArray();
    await expect(trainOn(await loadCheckpoint(file), network)).rejects.toThrow(
      /hostile\.safetensors: does not fit this training: ModelCheckpoint\.prefix must be part of a file name, not a path, got '\.\.\/evil'; resume with/,
    );
    expect(network.weight.toArray()).toEqual(before);
    expect(await saved()).toEqual(['Net-1_4', 'hostile']);
  });

  test('removes no files of other prefixes', async () => {
    const file = await fileWithPrefix('Other');
    const own = join(directory, 'own');
    await mkdir(own);
    const others = Array.from({ length: 9 }, (_, i) => `Other-0_${i}.safetensors`);
    for (const name of others) await writeFile(join(own, name), '');
    await trainOn(await loadCheckpoint(file));
    const names = await readdir(own);
    expect(names).toEqual(expect.arrayContaining(others));
    expect(names.filter((name) => !others.includes(name)).sort()).toEqual(
      [1, 2, 3, 4].map((step) => `Net-2_${step}.safetensors`),
    );
  });
});

test('latestCheckpoint passes over damaged files with a warning', async () => {
  expect(await latestCheckpoint(join(directory, 'none'))).toBeNull();
  await writeFile(join(directory, 'file'), '');
  await expect(latestCheckpoint(join(directory, 'file'))).rejects.toThrow(
    /file: a part of its path is a file \(ENOTDIR\); pass a folder/,
  );
  await trainFor(1, { saveCheckpointSteps: 1 });
  await truncate(join(directory, 'Net-1_4.safetensors'), 100);
  const warnings: string[] = [];
  const found = await latestCheckpoint(directory, {
    prefix: 'Net',
    warn: (text) => warnings.push(text),
  });
  expect(found?.file).toMatch(/Net-1_3/);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/Net-1_4.*; trying the one before/);
  for (const name of await readdir(directory)) await truncate(join(directory, name), 100);
  await expect(latestCheckpoint(directory, { prefix: 'Net' })).rejects.toThrow(
    /none of the 4 checkpoints of 'Net' is whole; put one back from a copy/,
  );
  expect(await latestCheckpoint(directory, { prefix: 'Other' })).toBeNull();
  await expect(latestCheckpoint(join(directory, 'Net-1_1.safetensors'))).rejects.toThrow(
    /Net-1_1\.safetensors: a part of its path is a file \(ENOTDIR\); pass a folder/,
  );
});
