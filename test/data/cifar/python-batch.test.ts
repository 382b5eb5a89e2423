import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cifar10, parseCifarBinary, parseCifarPython } from '@firelight/data';
import { describe, expect, test } from 'vitest';
import { pythonBatch } from '../../helpers/python-batch.ts';
import { sharedPath } from '../../helpers/shared.ts';

const pixels = Uint8Array.from({ length: 2 * 3072 }, (_, i) => i % 251);
const batch = pythonBatch([4, 9], pixels);

/** A pickle of protocol 2 with these instructions. */
const pickle = (...codes: (number | string)[]): Uint8Array =>
  Uint8Array.from([
    0x80,
    2,
    ...codes.flatMap((code) => (typeof code === 'string' ? [...Buffer.from(code)] : [code])),
  ]);

const TYPE = ['cnumpy\ndtype\n'] as const;
/** An array before its state is set: REDUCE of a function and its arguments. */
const ARRAY = ['cnumpy.core.multiarray\n_reconstruct\n', 'cnumpy\nndarray\n', 0x85, 0x52] as const;

describe('parseCifarPython', () => {
  test('gives labels, and images that are views of the file', () => {
    const records = parseCifarPython(batch);
    expect([...records.labels]).toEqual([4, 9]);
    expect(records.image(1)).toEqual(pixels.subarray(3072));
    expect(records.image(0).buffer).toBe(batch.buffer);
    expect(records.coarseLabels).toBeNull();
    expect(Cifar10.fromBytes(batch, { split: 'test' }).get(1).label).toBe(9);
  });

  test('reads what numpy 2 calls itself', () => {
    const reconstruct: [string, string] = ['numpy._core.multiarray', '_reconstruct'];
    expect(parseCifarPython(pythonBatch([1, 2], pixels, { reconstruct })).count).toBe(2);
  });

  const shared = sharedPath('cifar-10');
  test.skipIf(shared === null)(
    'reads the genuine test batch as its binary twin (skipped without ../shared/cifar-10)',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'firelight-python-'));
      try {
        const file = join(folder, 'test_batch');
        execFileSync(process.execPath, [join(shared as string, 'rebuild-python-batch.mjs'), file]);
        const python = parseCifarPython(readFileSync(file));
        const twin = join(shared as string, 'cifar-10-batches-bin', 'test_batch.bin');
        const binary = parseCifarBinary(readFileSync(twin));
        expect(python.count).toBe(10_000);
        expect(python.labels).toEqual(binary.labels);
        for (let i = 0; i < python.count; i++) {
          if (Buffer.compare(python.image(i), binary.image(i)) !== 0) expect(i).toBe('equal');
        }
        const data = await new Cifar10({ path: folder, split: 'test' }).load();
        expect([data.length, data.get(9).label]).toEqual([10_000, binary.labels[9]]);
        const one = await new Cifar10({ path: file, split: 'test' }).load();
        expect(one.length).toBe(10_000);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  test.each<[what: string, bytes: Uint8Array, message: RegExp]>([
    ['an empty file', new Uint8Array(0), /byte 0 of the pickle: the file ends where 1 more bytes/],
    [
      'a cut file',
      batch.subarray(0, 500),
      /the file ends where 6144 more bytes should be; .*damaged/,
    ],
    ['no batch', pickle(0x5d, 0x2e), /holds no dict/],
    ['no data', pickle(0x7d, 0x2e), /has no array 'data'/],
    ['other protocols', Uint8Array.of(0x80, 6, 0x2e), /protocol 6, where 2 to 5 are read/],
    ['other instructions', pickle(0x8f), /there is no instruction 0x8f/],
    ['a label of 10', pythonBatch([1, 10], pixels), /label 1 is 10, CIFAR-10 has 0 to 9/],
    [
      'labels of another number',
      pythonBatch([1], pixels),
      /must be an array \[N, 3072\] of u1, got \[1, 3072\]/,
    ],
    [
      'a call of the system',
      pickle('cos\nsystem\n', 0x55, 2, 'ls', 0x85, 0x52, 0x2e),
      /byte 2 of the pickle: it asks for 'os.system', which is refused/,
    ],
    [
      'a function under the name of the array',
      pythonBatch([1, 2], pixels, { reconstruct: ['builtins', 'eval'] }),
      /asks for 'builtins.eval', which is refused/,
    ],
    [
      'a long unreadable name, of which it quotes the start',
      pickle(`c${'\x1b'.repeat(200)}\nx\n`),
      /asks for '(\\u001b){6}…', which is refused/,
    ],
    ['a name without an end', pickle('c', 'x'.repeat(1000)), /a name has no end/],
    ['a call of no function', pickle(0x4e, 0x29, 0x52), /a call must have a name/],
    ['a mark that is not there', pickle(0x74), /no mark to go back to/],
    ['a call that numpy does not make', pickle(...TYPE, 0x29, 0x52), /numpy does not make/],
    ['a state that is no tuple', pickle(...ARRAY, 0x4e, 0x62), /must be two sides/],
    ['a state of a list', pickle(0x5d, 0x29, 0x62), /only objects have a state/],
    ['a state of a name', pickle(...TYPE, 0x4e, 0x62), /only objects have a state/],
    ['a state of an array without sides', pickle(...ARRAY, 0x29, 0x62), /must be two sides/],
    [
      'an array of no elements',
      pickle(0x7d, 0x55, 4, 'data', ...ARRAY, 0x73, 0x2e),
      /'data' must be an array .*, got \[\] of '' with 0 bytes/,
    ],
    ['pairs for no dict', pickle(0x5d, 0x28, 0x75), /only a dict takes pairs/],
    ['nothing to store', pickle(0x71, 0), /nothing to look at/],
    ['an empty stack', pickle(0x2e), /nothing to take/],
    ['an append to no list', pickle(0x4e, 0x4e, 0x61), /only a list can be appended to/],
    ['a key that is no string', pickle(0x7d, 0x4e, 0x4e, 0x73), /a key must be a string/],
    ['a negative length', pickle(0x54, 255, 255, 255, 255), /a string has length -1/],
    ['something that was not stored', pickle(0x68, 3), /nothing was stored as 3/],
  ])('refuses %s', (_, bytes, message) => {
    const parse = () => parseCifarPython(bytes, { source: 'test_batch' });
    expect(parse).toThrow(message);
    expect(parse).toThrow(/^test_batch: /);
    expect(parse).toThrow(expect.objectContaining({ name: 'DataError' }));
  });

  test('bounds the memory that a file of instructions can ask for', () => {
    const bombs = [0x5d, 0x7d, 0x28, 0x29, 0x4e].map((code) =>
      Buffer.concat([Uint8Array.of(0x80, 2), Buffer.alloc(31_000_000, code), Uint8Array.of(0x2e)]),
    );
    for (const bomb of bombs) {
      const before = process.memoryUsage().rss;
      expect(() => parseCifarPython(bomb)).toThrow(/more than 200000 instructions/);
      expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
    }
  });
});

test('a damaged python batch among the files is named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'firelight-python-'));
  try {
    writeFileSync(join(folder, 'test_batch'), batch);
    await expect(new Cifar10({ path: folder, split: 'test' }).load()).rejects.toThrow(
      /test_batch has \d+ bytes, expected 31000000 to 31100000, so it is truncated/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
