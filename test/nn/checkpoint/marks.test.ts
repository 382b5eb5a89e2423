import { readFileSync } from 'node:fs';
import {
  BatchNorm2d,
  type Checkpoint,
  CheckpointError,
  Dropout,
  decodeCheckpoint,
  EarlyStopping,
  encodeCheckpoint,
  Flatten,
  Linear,
  loadParamIntoNet,
  Model,
  Momentum,
  Sequential,
  SoftmaxCrossEntropyWithLogits,
  type TrainingContext,
} from '@firelight/nn';
import { Generator, ones, type Tensor, tensor } from '@firelight/tensor';
import { encodeSafetensors } from '@firelight/tensor/formats';
import { describe, expect, test } from 'vitest';
import { rewritten, safetensorsBytes } from '../../helpers/safetensors-bytes.ts';
import * as blobs from '../training/blobs.ts';

const createNetwork = (generator = new Generator(5)): Sequential =>
  new Sequential([
    new BatchNorm2d({ numFeatures: 1 }),
    new Flatten(),
    new Dropout({ p: 0.5, generator }),
    new Linear({ inFeatures: 4, outFeatures: 2, generator }),
  ]);

const image = tensor([1, 2, 3, 4, 5, 6, 7, 8], { shape: [2, 1, 2, 2] });
const batch = { image, label: tensor([1, 0], { dtype: 'int32' }) };

function train(network: Sequential, options: Parameters<Model['train']>[2] = {}) {
  const model = new Model({
    network,
    lossFn: new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' }),
    optimizer: new Momentum(network.parameters(), { learningRate: 0.1, momentum: 0.9 }),
    metrics: ['accuracy', 'loss'],
  });
  return model.train(2, [batch, batch], { validation: [batch], ...options });
}

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../fixtures/checkpoints/${name}`, import.meta.url));

/** The file of a training after three steps. */
async function saveTraining(network = createNetwork()): Promise<Uint8Array> {
  const files: Promise<Uint8Array>[] = [];
  const onStepEnd = (context: TrainingContext): void => {
    files.push(encodeCheckpoint(context.snapshot()));
  };
  await train(network, { callbacks: [new EarlyStopping(), { onStepEnd }] });
  return files[2];
}

const decode = (bytes: Uint8Array): Promise<Checkpoint> => decodeCheckpoint(bytes, 'file');
const bitsOf = (network: Sequential): unknown =>
  Object.values(network.stateDict()).map((own: Tensor) => own.toArray());

describe('a file of ours', () => {
  test('says that it is PyTorch-like, and keeps its marks under firelight', async () => {
    const bytes = await encodeCheckpoint({
      tensors: { a: ones([1]) },
      metadata: { mine: 'x', format: 'flax', 'firelight.version': '99' },
    });
    const { metadata, isForeign } = await decode(bytes);
    expect(isForeign).toBe(false);
    expect(Object.keys(metadata).sort()).toEqual(
      ['firelight.sha256', 'firelight.version', 'format', 'mine'].sort(),
    );
    expect(metadata).toMatchObject({ format: 'pt', 'firelight.version': '2', mine: 'x' });
  });

  test('may be read and saved again', async () => {
    const first = await encodeCheckpoint({ tensors: { a: ones([2]) }, metadata: { mine: 'x' } });
    const again = await encodeCheckpoint(await decode(first));
    expect(Buffer.from(again).equals(first)).toBe(true);
  });

  test('of a newer version says so', async () => {
    const marks = { 'firelight.version': '3', 'firelight.sha256': '0'.repeat(64) };
    await expect(decode(encodeSafetensors({ tensors: {}, metadata: marks }))).rejects.toThrow(
      /file: is in version '3' of the format, this Firelight reads up to version 2; use the/,
    );
  });

  test('that lost a mark is damaged', async () => {
    const bytes = await encodeCheckpoint({ tensors: { a: ones([9]) }, metadata: {} });
    for (const mark of ['firelight.version', 'firelight.sha256']) {
      const changed = bytes.slice();
      changed[Buffer.from(bytes).indexOf(mark) + 12] ^= 1;
      await expect(decode(changed)).rejects.toThrow(CheckpointError);
      await expect(decode(changed)).rejects.toThrow(/so the file was damaged; take an earlier/);
    }
  });
});

describe('a file that another program wrote anew', () => {
  const drop = (...names: string[]) => ({
    change: (metadata: Record<string, string>) =>
      Object.fromEntries(Object.entries(metadata).filter(([name]) => !names.includes(name))),
  });
  const ways: [what: string, options: Parameters<typeof rewritten>[1], refusal: RegExp][] = [
    ['with all metadata', {}, /was written anew by another program/],
    ['with spaces in its JSON', { indent: 1 }, /was written anew by another program/],
    ['without the checksum', drop('firelight.sha256'), /was written anew by another program/],
    ['without the version', drop('firelight.version'), /was written anew by another program/],
    ['without marks', drop('firelight.sha256', 'firelight.version'), /was written anew by another/],
    ['without metadata', { change: () => undefined }, /holds weights, but not the state of a/],
  ];
  test.each(ways)(
    '%s gives its weights, and says that no training goes on',
    async (_, way, text) => {
      const network = createNetwork();
      const checkpoint = await decode(rewritten(await saveTraining(network), way));
      expect(checkpoint.isForeign).toBe(true);
      const other = createNetwork(new Generator(9));
      expect(loadParamIntoNet(other, checkpoint)).toEqual([]);
      const before = bitsOf(other);
      const error: Error = await train(other, { resumeFrom: checkpoint }).then(
        () => new Error('it went on'),
        (caught) => caught,
      );
      expect(error).toBeInstanceOf(CheckpointError);
      expect(error.message).toMatch(text);
      expect(error.message).toMatch(
        /^file: .*; start a new training from it with loadParamIntoNet$/,
      );
      expect(bitsOf(other)).toEqual(before);
    },
  );

  test("as Hugging Face's safetensors library does", async () => {
    // See test/fixtures/checkpoints/rewrite.py.
    const { tensors, metadata, isForeign } = await decode(fixture('rewritten.safetensors'));
    expect([isForeign, metadata.format, metadata.epoch]).toEqual([true, 'pt', '1']);
    const values = Object.keys(tensors).map((name) => [name, tensors[name].toArray()]);
    expect(Object.fromEntries(values)).toEqual({
      ...{
        'a.weight': [
          [1, 2],
          [3, 4],
        ],
        d: [1.5],
      },
      ...{ m: [true, false], n: [7] },
    });
  });

  test('with other weights is not called damaged either', async () => {
    const bytes = rewritten(await saveTraining());
    bytes[bytes.length - 1] ^= 1;
    expect((await decode(bytes)).isForeign).toBe(true);
  });
});

describe('a file of the first version', () => {
  // Saved by Firelight at commit b6e03fb: the training above, after three steps.
  const former = fixture('version-1.safetensors');

  test('resumes where it was', async () => {
    const whole = createNetwork();
    await train(whole, { callbacks: [new EarlyStopping()] });
    const resumed = createNetwork(new Generator(9));
    const resumeFrom = await decode(former);
    await train(resumed, { callbacks: [new EarlyStopping()], resumeFrom });
    // Not the same bits: the arithmetic of the first three steps is that of their time.
    const [found, expected] = [resumed, whole].map((own) => (bitsOf(own) as number[][]).flat(9));
    found.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 5);
    });
  });

  test('resumes with the same bits in a data set that draws its order, from any moment', async () => {
    const keeper = new blobs.Keeper();
    const whole = blobs.createNetwork();
    await blobs.createModel(whole).train(3, new blobs.Blobs(), { callbacks: [keeper] });
    for (const snapshot of keeper.snapshots) {
      const checkpoint = await decode(await snapshot);
      // What the first version wrote; its `data` was the generator at the beginning of the epoch.
      const { dataNow, batch, loss, learningRate, batchSizes, ...training } = JSON.parse(
        checkpoint.metadata.training,
      );
      const metadata = { ...checkpoint.metadata, training: JSON.stringify(training) };
      const resumed = blobs.createNetwork(9);
      const resumeFrom = { ...checkpoint, metadata };
      await blobs.createModel(resumed).train(3, new blobs.Blobs(), { resumeFrom });
      expect(blobs.bits(resumed)).toEqual(blobs.bits(whole));
    }
  });

  test('that differs is said to be damaged or written anew', async () => {
    const changed = Buffer.from(former);
    changed[changed.length - 1] ^= 1;
    await expect(decode(changed)).rejects.toThrow(
      /the checksum begins with '.{12}' and the content's with '.{12}', so the file was damaged, or written anew by another program; take an earlier checkpoint/,
    );
    const old = { format: 'firelight', formatVersion: '2' };
    await expect(decode(safetensorsBytes({ __metadata__: old }))).rejects.toThrow(/version '2'/);
    const lost = { format: 'firelight', formatVersion: '1' };
    await expect(decode(safetensorsBytes({ __metadata__: lost }))).rejects.toThrow(
      /lacks its checksum/,
    );
  });
});
