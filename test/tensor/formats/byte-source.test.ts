import fs from 'node:fs';
import { mkdtemp, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FormatError, ValueError } from '@firelight/tensor';
import {
  type ByteSource,
  bytesSource,
  fileSource,
  firstBytes,
  lastBytes,
  partOfSource,
} from '@firelight/tensor/formats';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-source-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const content = Uint8Array.from({ length: 100 }, (_, i) => i);

/** A new file with `content`. */
async function newFile(name: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** A source in memory, one of a file that is read at once, and one that is read in parts. */
const sources = async (): Promise<ByteSource[]> => {
  const path = await newFile('whole');
  return [
    bytesSource(content, { name: path }),
    await fileSource(path),
    await fileSource(path, { readAtOnce: 0 }),
    partOfSource(bytesSource(Uint8Array.of(9, ...content, 9), { name: path }), 'part', 1, 101),
  ];
};

test('every source gives any part, and none beyond its end', async () => {
  for (const source of await sources()) {
    expect(source.size).toBe(100);
    expect([...source.bytes(3, 6)]).toEqual([3, 4, 5]);
    expect(source.bytes(100, 100)).toHaveLength(0);
    expect([...firstBytes(source, 2)]).toEqual([0, 1]);
    expect([...lastBytes(source, 2)]).toEqual([98, 99]);
    expect([firstBytes(source, 1000).length, lastBytes(source, 1000).length]).toEqual([100, 100]);
    for (const [start, end] of [
      [-1, 2],
      [5, 4],
      [99, 101],
      [0, Number.NaN],
      [0, 2 ** 53],
    ]) {
      expect(() => source.bytes(start, end)).toThrow(FormatError);
      expect(() => source.bytes(start, end)).toThrow(/ends at byte 100 where bytes/);
    }
  }
});

test('errors begin with the name and the part, and are of the class that was asked for', () => {
  class OwnError extends FormatError {}
  const source = bytesSource(content, { name: 'a\u202e\n.npz', error: OwnError });
  const part = partOfSource(source, "member 'x'", 10, 20);
  const cause = new Error('why');
  expect(source.error('is bad')).toBeInstanceOf(OwnError);
  expect(source.error('is bad').message).toBe('a\\u202e\\u000a.npz: is bad');
  expect(part.error('is bad', { cause })).toMatchObject({
    message: "a\\u202e\\u000a.npz: member 'x': is bad",
    cause,
  });
  expect(() => part.bytes(0, 11)).toThrow(OwnError);
  expect(() => partOfSource(source, 'x', 99, 101)).toThrow(/ends at byte 100/);
});

describe('a file that is read in parts', () => {
  test('is not read but for what is asked for, and not held open', async () => {
    const path = await newFile('parts');
    const [opened, read, closed] = [
      vi.spyOn(fs, 'openSync'),
      vi.spyOn(fs, 'readSync'),
      vi.spyOn(fs, 'closeSync'),
    ];
    try {
      const source = await fileSource(path, { readAtOnce: 99 });
      expect(read).not.toHaveBeenCalled();
      source.bytes(40, 50);
      expect(read.mock.results.map(({ value }) => value)).toEqual([10]);
      expect(closed.mock.calls).toEqual(opened.mock.results.map(({ value }) => [value]));
    } finally {
      vi.restoreAllMocks();
    }
  });

  test('refuses a file that was changed, cut or replaced meanwhile', async () => {
    const changes: [name: string, change: (path: string) => Promise<unknown>][] = [
      ['changed', (path) => utimes(path, 1, 1)],
      ['cut', (path) => truncate(path, 50)],
      [
        'replaced',
        async (path) => {
          await rm(path);
          await newFile('replaced');
          await utimes(path, 2, 2);
        },
      ],
    ];
    for (const [name, change] of changes) {
      const path = await newFile(name);
      const source = await fileSource(path, { readAtOnce: 0 });
      await change(path);
      expect(() => source.bytes(0, 1)).toThrow(
        new FormatError(`${path}: was changed after it was opened; open it again`),
      );
    }
  });

  test('says that a file is gone', async () => {
    const path = await newFile('gone');
    const source = await fileSource(path, { readAtOnce: 0 });
    await rm(path);
    expect(() => source.bytes(0, 1)).toThrow(/gone: there is no such file or folder \(ENOENT\)/);
  });
});

test('a file that cannot be read is refused with the reason', async () => {
  await expect(fileSource(join(folder, 'none'))).rejects.toThrow(
    /none: there is no such file or folder \(ENOENT\); pass the path of a file that can be read/,
  );
  await expect(fileSource(folder)).rejects.toThrow(/it is a folder \(EISDIR\)/);
});

test('there are no files where there is no Node', async () => {
  const builtin = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined);
  try {
    await expect(fileSource('x')).rejects.toThrow(
      new ValueError('fileSource: only Node has files; pass the bytes to bytesSource'),
    );
  } finally {
    builtin.mockRestore();
  }
});
