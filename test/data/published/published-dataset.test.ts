import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HouseNumbers } from '../../fixtures/datasets/svhn-like.ts';
import { archiveOf, file, md5 } from '../../helpers/cifar-archive.ts';
import { closeServers, send, serve } from '../../helpers/loopback.ts';

const RECORD = 3073;
const records = (count: number): Uint8Array =>
  Uint8Array.from({ length: count * RECORD }, (_, i) =>
    i % RECORD === 0 ? 1 + ((5 + i / RECORD) % 10) : i % 253,
  );

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'firelight-published-'));
});

afterEach(async () => {
  closeServers();
  await rm(directory, { recursive: true, force: true });
});

test("a user's data set in one file is fetched, unpacked, and read by worker threads too", async () => {
  const archive = await archiveOf([
    file('numbers/train.bin', records(6)),
    file('numbers/extra.bin', records(2)),
  ]);
  const download = { urls: [await serve(send(archive))], md5: md5(archive), onProgress: null };
  for (const workers of [0, 2]) {
    const dataset = new HouseNumbers({ path: directory, download, workers, shuffle: false });
    const labels: number[] = [];
    for await (const { image, label } of dataset) {
      expect(image.shape.slice(1)).toEqual([3, 32, 32]);
      labels.push(...label.data);
    }
    expect(labels).toEqual([6, 7, 8, 9, 0, 1]);
  }
  expect(await readdir(directory)).toEqual(['numbers']);
  const extra = await new HouseNumbers({ path: directory, split: 'extra', limit: 1 }).load();
  expect(extra).toHaveLength(1);
});

test('names the splits that there are, and the files that are missing', async () => {
  expect(() => new HouseNumbers({ path: '.', split: 'test' as 'train' })).toThrow(
    "HouseNumbers: split must be 'train' or 'extra', got 'test'",
  );
  await expect(new HouseNumbers({ path: directory }).load()).rejects.toThrow(
    /^HouseNumbers: .* put train.bin and extra.bin of https:\/\/example.org\/numbers.tar.gz into/,
  );
});
