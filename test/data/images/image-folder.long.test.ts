import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImageFolder } from '@firelight/data';
import { expect, test } from 'vitest';
import { encodePng } from '../../helpers/png.ts';

/** File systems let a file have about so many names. */
const MOST_NAMES = 50_000;

test('ImageFolder takes 200000 pictures in a class, and as many links', async () => {
  const root = mkdtempSync(join(tmpdir(), 'firelight-many-'));
  try {
    mkdirSync(join(root, 'files'));
    mkdirSync(join(root, 'links'));
    const png = encodePng({ width: 1, height: 1, data: Uint8Array.of(1, 2, 3) });
    for (let i = 0; i < 200_000; i++) {
      const path = join(root, 'files', `${i}.png`);
      const first = join(root, 'files', `${i - (i % MOST_NAMES)}.png`);
      if (first === path) writeFileSync(path, png);
      else linkSync(first, path);
      symlinkSync(first, join(root, 'links', `${i}.png`));
    }
    const pictures = await ImageFolder.open(root);
    expect(pictures.length).toBe(400_000);
    expect(pictures.describe(199_999)).toBe(join(root, 'files', '99999.png'));
    expect(await pictures.get(399_999)).toMatchObject({ label: 1, image: { width: 1 } });
  } finally {
    rmSync(root, { recursive: true });
  }
}, 600_000);

test('ImageFolder refuses folders that link to each other without end', async () => {
  const root = mkdtempSync(join(tmpdir(), 'firelight-maze-'));
  try {
    mkdirSync(join(root, 'a'));
    const names = Array.from({ length: 9 }, (_, i) => String(i));
    for (const name of names) {
      mkdirSync(join(root, 'a', name));
      for (const other of names) symlinkSync(`../${other}`, join(root, 'a', name, other));
    }
    await expect(ImageFolder.open(root)).rejects.toThrow(
      /\/a has over 10000 links to folders in it; remove those between folders that link/,
    );
  } finally {
    rmSync(root, { recursive: true });
  }
}, 120_000);
