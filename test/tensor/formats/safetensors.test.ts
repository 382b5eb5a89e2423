import fs from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FormatError, ones, tensor } from '@firelight/tensor';
import {
  bytesSource,
  decodeSafetensors,
  encodeSafetensors,
  fileSource,
  looksLikeSafetensors,
} from '@firelight/tensor/formats';
import { expect, test, vi } from 'vitest';
import { safetensorsBytes } from '../../helpers/safetensors-bytes.ts';

test('what is written is read again', () => {
  const tensors = { a: tensor([1, 2, 3]), b: tensor([[1n], [2n]], { dtype: 'int64' }) };
  const bytes = encodeSafetensors({ tensors, metadata: { by: 'me' } }, { extraPadding: 8 });
  const source = bytesSource(bytes, { name: 'memory' });
  expect(looksLikeSafetensors(source)).toBe(true);
  const back = decodeSafetensors(source);
  expect(back.metadata).toEqual({ by: 'me' });
  expect(back.tensors.a.toArray()).toEqual([1, 2, 3]);
  expect([back.tensors.b.dtype, back.tensors.b.toArray()]).toEqual(['int64', [[1], [2]]]);
});

test('files of other kinds are not taken for it, and refused with what was found', () => {
  const zip = bytesSource(Buffer.from(`PK\x03\x04${'\0'.repeat(40)}`), { name: 'zip' });
  expect(looksLikeSafetensors(zip)).toBe(false);
  expect(() => decodeSafetensors(zip)).toThrow(
    new FormatError(
      'zip: claims a header of 67324752 bytes and has 44 in all, so it is no whole safetensors file',
    ),
  );
  const none = bytesSource(new Uint8Array(0), { name: 'empty' });
  expect(looksLikeSafetensors(none)).toBe(false);
  expect(() => decodeSafetensors(none)).toThrow(/^empty: has only 0 bytes, so/);
});

test('of a large file one tensor is read without the rest', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'firelight-large-'));
  const read = vi.spyOn(fs, 'readSync');
  const whole = vi.spyOn(fs.promises, 'readFile');
  try {
    const path = join(folder, 'large.safetensors');
    const length = 2 ** 27;
    const entry = (start: number, end: number) => ({
      dtype: 'F32',
      shape: [(end - start) / 4],
      data_offsets: [start, end],
    });
    const header = safetensorsBytes({ x: entry(0, length - 8), y: entry(length - 8, length) });
    await writeFile(path, header);
    await truncate(path, header.length + length); // A hole, which takes no room on the disk.
    const { tensors } = decodeSafetensors(await fileSource(path));
    expect(tensors.y.toArray()).toEqual([0, 0]);
    const bytes = read.mock.results.map(({ value }) => value as number);
    expect(bytes.reduce((sum, count) => sum + count)).toBe(header.length + 8);
    expect(whole).not.toHaveBeenCalled();
  } finally {
    vi.restoreAllMocks();
    await rm(folder, { recursive: true });
  }
});

test('a file with 20,000 tensors makes none before one is asked for', () => {
  const entries = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, i) => [
      `layer.${i}.weight`,
      { dtype: 'U8', shape: [1], data_offsets: [i, i + 1] },
    ]),
  );
  const bytes = safetensorsBytes(entries, 20_000);
  const source = bytesSource(bytes, { name: 'many' });
  const read = vi.spyOn(source, 'bytes');
  const { tensors } = decodeSafetensors(source);
  expect(Object.keys(tensors)).toHaveLength(20_000);
  const before = read.mock.calls.length;
  expect(before).toBeLessThan(5);
  expect(tensors['layer.19999.weight'].toArray()).toEqual([0]);
  expect(read).toHaveBeenCalledTimes(before + 1);
  expect(() => encodeSafetensors({ tensors: { __metadata__: ones([1]) }, metadata: {} })).toThrow(
    /no tensor can be called __metadata__/,
  );
});
