import { readFileSync } from 'node:fs';
import { parseCifarBinary, syntheticCifar10 } from '@firelight/data';
import { ValueError } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { sharedPath } from '../../helpers/shared.ts';

const RECORD = 3073;

describe('parseCifarBinary', () => {
  test('gives labels, and images that are views of the file', () => {
    const file = new Uint8Array(3 * RECORD).fill(7);
    file[RECORD] = 9;
    file[RECORD + 1] = 200;
    const records = parseCifarBinary(file);
    expect(records.count).toBe(3);
    expect([...records.labels]).toEqual([7, 9, 7]);
    expect(records.image(1)).toHaveLength(3072);
    expect(records.image(1)[0]).toBe(200);
    expect(records.image(1).buffer).toBe(file.buffer);
    expect(parseCifarBinary(file.buffer).image(2).buffer).toBe(file.buffer);
  });

  test.each<[what: string, bytes: Uint8Array, message: RegExp]>([
    ['nothing', new Uint8Array(0), /^a.bin: the file is empty, expected records of 3073 bytes/],
    [
      'a cut record',
      new Uint8Array(2 * RECORD - 1),
      /^a.bin: 6145 bytes .* the last one, at byte 3073, has only 3072 bytes, so .* truncated/,
    ],
    [
      'a label of 10',
      new Uint8Array(2 * RECORD).fill(10, RECORD, RECORD + 1),
      /^a.bin: record 1 at byte 3073 has label 10, CIFAR-10 has 0 to 9/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseCifarBinary(bytes, { source: 'a.bin' })).toThrow(message);
    expect(() => parseCifarBinary(bytes)).toThrow(expect.objectContaining({ name: 'DataError' }));
  });

  test('refuses to give an image that is not there', () => {
    const records = parseCifarBinary(new Uint8Array(RECORD));
    for (const index of [-1, 1, 0.5]) expect(() => records.image(index)).toThrow(ValueError);
  });

  const real = sharedPath('cifar-10', 'cifar-10-batches-bin');
  test.skipIf(real === null)('reads the real files (skipped without ../shared/cifar-10)', () => {
    const read = (name: string) => parseCifarBinary(readFileSync(`${real}/${name}.bin`));
    const first = read('data_batch_1');
    expect(first.count).toBe(10_000);
    expect([...first.labels.subarray(0, 10)]).toEqual([6, 9, 9, 4, 1, 1, 2, 7, 8, 3]);
    expect([...first.image(0).subarray(0, 4)]).toEqual([59, 43, 50, 68]);
    const counts = new Array<number>(10).fill(0);
    for (const label of first.labels) counts[label]++;
    expect(counts).toEqual([1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981]);
    const test = read('test_batch');
    expect([...test.labels.subarray(0, 10)]).toEqual([3, 8, 8, 0, 6, 6, 1, 6, 3, 1]);
  });
});

describe('syntheticCifar10', () => {
  test('is valid, balanced, repeatable, and longer sets begin with shorter ones', () => {
    const bytes = syntheticCifar10({ count: 40, seed: 1 });
    const { labels } = parseCifarBinary(bytes);
    const counts = new Array<number>(10).fill(0);
    for (const label of labels) counts[label]++;
    expect(counts).toEqual(new Array(10).fill(4));
    expect(syntheticCifar10({ count: 40, seed: 1 })).toEqual(bytes);
    expect(syntheticCifar10({ count: 15, seed: 1 })).toEqual(bytes.subarray(0, 15 * RECORD));
    expect(syntheticCifar10({ count: 40, seed: 2 })).not.toEqual(bytes);
    expect(() => syntheticCifar10({ count: 0, seed: 1 })).toThrow(/count must be an integer ≥ 1/);
  });

  test('cannot be told apart by mean colour alone', () => {
    const records = parseCifarBinary(syntheticCifar10({ count: 600, seed: 3 }));
    const { count, labels } = records;
    const meansOf = (i: number) =>
      [0, 1, 2].map((c) =>
        records
          .image(i)
          .subarray(c * 1024, c * 1024 + 1024)
          .reduce((s, v) => s + v, 0),
      );
    // Nearest class centre in mean colour, on images that the centres were not made of.
    const centres = Array.from({ length: 10 }, () => [0, 0, 0]);
    for (let i = 0; i < 300; i++) {
      for (const [c, mean] of meansOf(i).entries()) centres[labels[i]][c] += mean / 30;
    }
    let correct = 0;
    for (let i = 300; i < count; i++) {
      const means = meansOf(i);
      const distances = centres.map((centre) =>
        centre.reduce((sum, value, c) => sum + (value - means[c]) ** 2, 0),
      );
      if (distances.indexOf(Math.min(...distances)) === labels[i]) correct++;
    }
    expect(correct / 300).toBeLessThan(0.25);
  });
});
