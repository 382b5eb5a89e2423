import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError, encodeCheckpoint } from '@firelight/nn';
import { openCheckpoint } from '@firelight/nn/formats';
import { FormatError, tensor } from '@firelight/tensor';
import { expect, test } from 'vitest';

test('a path, bytes, and a file of a browser give the same', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'firelight-open-'));
  try {
    const tensors = { a: tensor([1, 2]) };
    const bytes = await encodeCheckpoint({ tensors, metadata: { by: 'me' } });
    const path = join(folder, 'a.bin');
    await writeFile(path, bytes);
    const [first, second] = [new Uint8Array(bytes), new Uint8Array(bytes)];
    for (const [file, name] of [
      [path, path],
      [first, 'checkpoint'],
      [second.buffer, 'checkpoint'],
      [new Blob([first]), 'checkpoint'],
      [new File([first], 'dropped.pth'), 'dropped.pth'],
    ] as const) {
      const checkpoint = await openCheckpoint(file);
      expect(checkpoint).toMatchObject({ file: name, isForeign: false, metadata: { by: 'me' } });
      expect(checkpoint.tensors.a.toArray()).toEqual([1, 2]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('what cannot be read is a CheckpointError with the name of the file', async () => {
  const opened = openCheckpoint(new Uint8Array(3), { name: 'mine' });
  await expect(opened).rejects.toThrow(CheckpointError);
  await expect(opened).rejects.toThrow(FormatError);
  await expect(opened).rejects.toThrow(/^mine: has only 3 bytes/);
  await expect(openCheckpoint('/none/there.pth')).rejects.toThrow(
    /^\/none\/there.pth: there is no/,
  );
});
