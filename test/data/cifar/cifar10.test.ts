import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CIFAR10_MEAN,
  CIFAR10_STD,
  Cifar10,
  type Cifar10Options,
  findCifar10,
  syntheticCifar10,
} from '@firelight/data';
import { ValueError } from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedPath } from '../../helpers/shared.ts';

const FILE_BYTES = 30_730_000;

let folder: string;
const batchFile = (name: string): string => join(folder, 'cifar-10-batches-bin', name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-cifar10-'));
  await mkdir(join(folder, 'cifar-10-batches-bin'));
  await writeFile(batchFile('test_batch.bin'), new Uint8Array(FILE_BYTES).fill(3));
  await writeFile(join(folder, 'few.bin'), syntheticCifar10({ count: 25, seed: 1 }));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('Cifar10', () => {
  test('reads a folder, its inner folder, and a single file', async () => {
    const inner = await new Cifar10({
      path: join(folder, 'cifar-10-batches-bin'),
      split: 'test',
    }).load();
    const outer = await new Cifar10({ path: folder, split: 'test', limit: 12 }).load();
    const single = await new Cifar10({ path: join(folder, 'few.bin'), batchSize: 10 }).load();
    expect([inner.length, outer.length, single.length]).toEqual([10_000, 12, 25]);
    expect(single.batchesPerEpoch).toBe(3);
    expect(outer.get(0).label).toBe(3);
  });

  test('normalizes by default', async () => {
    const bytes = new Uint8Array(3073).fill(51);
    bytes[0] = 2;
    for await (const { image, label } of Cifar10.fromBytes(bytes)) {
      expect(Array.from(label.data)).toEqual([2]);
      expect(image.shape).toEqual([1, 3, 32, 32]);
      for (const channel of [0, 1, 2]) {
        const expected = (0.2 - CIFAR10_MEAN[channel]) / CIFAR10_STD[channel];
        expect(image.data[channel * 1024]).toBeCloseTo(expected, 5);
      }
    }
  });

  test('shuffles for training and keeps the order for testing', async () => {
    const bytes = syntheticCifar10({ count: 100, seed: 1 });
    const labels = async (split: 'train' | 'test') => {
      const all: number[] = [];
      for await (const { label } of Cifar10.fromBytes(bytes, { split })) all.push(...label.data);
      return all;
    };
    const inOrder = Array.from({ length: 100 }, (_, i) => bytes[i * 3073]);
    expect(await labels('test')).toEqual(inOrder);
    expect(await labels('train')).not.toEqual(inOrder);
  });

  const real = sharedPath('cifar-10');
  test.skipIf(real === null)(
    'reads the real data (skipped without ../shared/cifar-10)',
    async () => {
      const all = await new Cifar10({ path: real as string, split: 'all' }).load();
      expect(all.length).toBe(60_000);
      expect(all.get(0).label).toBe(6);
      expect(all.get(10_000).label).toBe(1);
      expect(all.get(50_000).label).toBe(3);
      const { image } = all.get(0);
      expect([image.data[0], image.data[3], image.data[6]]).toEqual([59, 43, 50]);
    },
  );

  test.each<[what: string, options: () => Cifar10Options, message: RegExp]>([
    ['two sources', () => ({ path: folder, records: [] }), /path .* or records, one and not both/],
    ['no source', () => ({}), /one and not both/],
    ['an unknown split', () => ({ path: folder, split: 'dev' as 'test' }), /got 'dev'/],
    ['a limit of 0', () => ({ path: folder, limit: 0 }), /limit must be an integer ≥ 1, got 0/],
  ])('refuses %s', (_, options, message) => {
    expect(() => new Cifar10(options())).toThrow(ValueError);
    expect(() => new Cifar10(options())).toThrow(message);
  });

  test('says what must be awaited first', () => {
    const cifar = new Cifar10({ path: folder });
    expect(() => cifar.length).toThrow(
      /length is known only after .* await dataset.load\(\) first/,
    );
  });

  test('names files that are missing, too short or too long', async () => {
    await expect(new Cifar10({ path: '/none' }).load()).rejects.toThrow(
      /\/none has no file of the train split; put data_batch_1.bin/,
    );
    await writeFile(batchFile('data_batch_1.bin'), new Uint8Array(FILE_BYTES));
    await expect(new Cifar10({ path: folder }).load()).rejects.toThrow(
      /data_batch_2.bin is missing, the train split needs/,
    );
    await writeFile(batchFile('data_batch_1.bin'), new Uint8Array(FILE_BYTES + 3073));
    await expect(new Cifar10({ path: folder }).load()).rejects.toThrow(
      /data_batch_1.bin has 30733073 bytes, expected 30730000, so it is too long/,
    );
    const many = new Cifar10({ path: join(folder, 'few.bin'), limit: 26 });
    await expect(many.load()).rejects.toThrow(/limit is 26, but there are only 25 images/);
  });
});

describe('findCifar10', () => {
  const nowhere = { env: {}, candidates: [] };

  test('prefers what was asked for, then the variable, then the candidates in order', async () => {
    const inner = join(folder, 'cifar-10-batches-bin');
    expect(await findCifar10(nowhere)).toBeNull();
    expect(await findCifar10({ ...nowhere, candidates: ['/none', folder] })).toEqual({
      path: inner,
      origin: folder,
    });
    const env = { FIRELIGHT_CIFAR10: folder };
    expect((await findCifar10({ env, candidates: ['/none'] }))?.origin).toBe('FIRELIGHT_CIFAR10');
    expect((await findCifar10({ explicit: folder, env: {} }))?.path).toBe(inner);
  });

  test('never replaces a path that was asked for', async () => {
    const candidates = [folder];
    await expect(findCifar10({ explicit: '/none', env: {}, candidates })).rejects.toThrow(
      /no CIFAR-10 files in \/none; put data_batch_1.bin/,
    );
    const env = { FIRELIGHT_CIFAR10: '/none' };
    await expect(findCifar10({ env, candidates })).rejects.toThrow(
      /\/none \(from FIRELIGHT_CIFAR10\)/,
    );
  });
});
