import { closeSync, mkdirSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImageFolder } from '@firelight/data';
import { expect, test } from 'vitest';

test('a class may have 200,000 files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'firelight-folder-'));
  try {
    mkdirSync(join(folder, 'many'));
    for (let i = 0; i < 200_000; i++) closeSync(openSync(join(folder, 'many', `${i}.png`), 'w'));
    expect(await ImageFolder.open(folder)).toHaveLength(200_000);
  } finally {
    await rm(folder, { recursive: true });
  }
});
