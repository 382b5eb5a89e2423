import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CIFAR100_CLASSES,
  CIFAR100_COARSE_CLASSES,
  Cifar10,
  Cifar100,
  parseCifar100Binary,
} from '@firelight/data';
import { describe, expect, test } from 'vitest';

const RECORD = 3074;

/** `count` records whose coarse label is i mod 20, fine label i mod 100, and pixels i mod 256. */
function file(count: number): Uint8Array {
  const bytes = new Uint8Array(count * RECORD);
  for (let i = 0; i < count; i++) {
    bytes.fill(i, i * RECORD, (i + 1) * RECORD);
    bytes[i * RECORD] = i % 20;
    bytes[i * RECORD + 1] = i % 100;
  }
  return bytes;
}

describe('parseCifar100Binary', () => {
  test('gives both labels and the images', () => {
    const records = parseCifar100Binary(file(130));
    expect(records.count).toBe(130);
    expect([records.labels[129], records.coarseLabels?.[129]]).toEqual([29, 9]);
    expect(records.image(3)).toEqual(new Uint8Array(3072).fill(3));
  });

  test.each<[what: string, bytes: Uint8Array, message: RegExp]>([
    ['nothing', new Uint8Array(0), /1 coarse label, 1 fine label, 3072 pixels/],
    ['a cut record', new Uint8Array(RECORD + 5), /no whole number of 3074-byte records/],
    [
      'a coarse label of 20',
      new Uint8Array(RECORD).fill(20),
      /has coarse label 20, CIFAR-100 has 0 to 19/,
    ],
    [
      'a fine label of 100',
      Uint8Array.from({ length: RECORD }, (_, i) => 100 * (i & 1)),
      /fine label 100/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseCifar100Binary(bytes)).toThrow(message);
  });
});

describe('Cifar100', () => {
  test('has the published names', () => {
    expect([CIFAR100_CLASSES.length, CIFAR100_COARSE_CLASSES.length]).toEqual([100, 20]);
    expect([CIFAR100_CLASSES[0], CIFAR100_CLASSES[99]]).toEqual(['apple', 'worm']);
    expect([...CIFAR100_CLASSES].sort()).toEqual(CIFAR100_CLASSES);
    expect(CIFAR100_COARSE_CLASSES[9]).toBe('large_man-made_outdoor_things');
  });

  test('reads a folder, with fine or coarse labels', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'firelight-cifar100-'));
    try {
      writeFileSync(join(folder, 'test.bin'), file(10_000));
      const fine = await new Cifar100({ path: folder, split: 'test' }).load();
      const options = { path: folder, split: 'test', labels: 'coarse', batchSize: 50 } as const;
      const coarse = await new Cifar100(options).load();
      expect([fine.length, fine.get(55).label, coarse.get(55).label]).toEqual([10_000, 55, 15]);
      for await (const { image, label } of coarse.from(199)) {
        expect(image.shape).toEqual([50, 3, 32, 32]);
        expect(Math.max(...label.data)).toBe(19);
      }
      await expect(new Cifar100({ path: folder }).load()).rejects.toThrow(
        /no file of the train split; put train.bin and test.bin of https.*cifar-100-binary.tar.gz/,
      );
      await expect(new Cifar10({ path: join(folder, 'test.bin') }).load()).rejects.toThrow(
        /not CIFAR-10 binary/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
