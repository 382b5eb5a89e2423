import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import {
  type Batch,
  batches,
  CenterCrop,
  Compose,
  DataError,
  decodeImage,
  HWC2CHW,
  ImageFolder,
  Rescale,
  Resize,
  readImage,
} from '@firelight/data';
import { ValueError } from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodePng } from '../../helpers/png.ts';

// The decoder that the package has, and the root need not have.
const ofPackage = createRequire(new URL('../../../packages/data/package.json', import.meta.url));
const { encode: encodeJpeg } = await import(ofPackage.resolve('jpeg-js'));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-images-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('readImage refuses what is none in one sentence', async () => {
  const write = async (name: string, bytes: Uint8Array) => {
    await writeFile(join(folder, name), bytes);
    return join(folder, name);
  };
  await expect(readImage(join(folder, 'none.png'))).rejects.toThrow(/none\.png: no such file/);
  await expect(readImage(folder)).rejects.toThrow(/: it is a folder \(EISDIR\)/);
  await expect(readImage(await write('empty.png', new Uint8Array(0)))).rejects.toThrow(
    /empty\.png: is empty; replace or remove it/,
  );
  await expect(readImage(await write('text', Buffer.from('A')))).rejects.toThrow(
    /text: is neither PNG nor JPEG; convert it to PNG or JPEG/,
  );
  const text = 'text' as unknown as Uint8Array;
  await expect(decodeImage(text)).rejects.toThrow(ValueError);
  await expect(decodeImage(text)).rejects.toThrow(/bytes must be a Uint8Array, got 'text'/);
});

/** How files of formats begin that are known and not read. */
const STARTS: readonly [format: string, start: string][] = [
  ['GIF', 'GIF89a'],
  ['WebP', 'RIFF\x10\0\0\0WEBPVP8 '],
  ['BMP', 'BM\x10\0\0\0'],
  ['TIFF', 'II*\0\x08'],
  ['TIFF', 'MM\0*\0'],
  ['AVIF', '\0\0\0\x20ftypavif'],
  ['HEIC', '\0\0\0\x18ftypheic'],
  ['HEIC', '\0\0\0\x18ftypmif1'],
  ['JPEG 2000', '\0\0\0\x0cjP  \r\n'],
  ['JPEG XL', '\xff\x0a\x10'],
  ['JPEG XL', '\0\0\0\x0cJXL \r\n'],
  ['PNM', 'P6\n10 10\n255\n'],
];

test.each(STARTS)(
  'a %s picture is called by its name, whatever the name of its file',
  async (format, start) => {
    const decoding = decodeImage(Buffer.from(start, 'latin1'), { source: 'x.png' });
    await expect(decoding).rejects.toThrow(DataError);
    await expect(decoding).rejects.toThrow(
      `x.png: is ${format}, which is not read; convert it to PNG or JPEG`,
    );
  },
);

describe('ImageFolder', () => {
  const png = (value: number, side = 4): Uint8Array =>
    encodePng({ width: side, height: side, data: new Uint8Array(side * side * 3).fill(value) });

  const jpeg = (value: number): Uint8Array =>
    encodeJpeg({ width: 8, height: 8, data: new Uint8Array(8 * 8 * 4).fill(value) }, 100).data;

  /** A folder with these files. */
  async function tree(name: string, files: Record<string, Uint8Array>): Promise<string> {
    const root = join(folder, name);
    for (const [path, bytes] of Object.entries(files)) {
      await mkdir(join(root, path, '..'), { recursive: true });
      await writeFile(join(root, path), bytes);
    }
    return root;
  }

  test('numbers classes and files in the order of their names', async () => {
    const root = await tree('ordered', {
      'dog/b.PNG': png(3),
      'dog/a/deep.png': png(2),
      'cat/x.png': png(1),
      'dog/.hidden/x.png': png(9),
      'dog/._x.png': png(9),
      'dog/c.jpg': jpeg(128),
      'dog/d.JPEG': jpeg(0),
      'cat/notes.txt': new Uint8Array(1),
      '.hidden/y.png': png(9),
      'readme.md': new Uint8Array(1),
    });
    const pictures = await ImageFolder.open(root);
    expect(pictures.classNames).toEqual(['cat', 'dog']);
    expect(pictures.length).toBe(5);
    const samples = await Promise.all([0, 1, 2, 3, 4].map((index) => pictures.get(index)));
    expect(samples.map(({ image, label }) => [image.data[0], label])).toEqual([
      [1, 0],
      [3, 1],
      [128, 1],
      [0, 1],
      [2, 1],
    ]);
    expect(pictures.describe(1)).toBe(join(root, 'dog', 'b.PNG'));
    await expect(pictures.get(5)).rejects.toThrow(/no image 5, there are 5/);
  });

  test('makes batches of pictures of many sizes, with and without workers', async () => {
    const root = await tree(
      'sizes',
      Object.fromEntries(
        Array.from({ length: 12 }, (_, i) => [`${i % 2 ? 'a' : 'b'}/${i}.png`, png(20 * i, 3 + i)]),
      ),
    );
    const transform = new Compose([
      new Resize(8),
      new CenterCrop(6),
      new Rescale(1 / 255, 0),
      new HWC2CHW(),
    ]);
    const collect = async (workers: number) => {
      const source = batches(await ImageFolder.open(root), { transform, batchSize: 5, workers });
      const list: Batch[] = [];
      for await (const batch of source) list.push(batch);
      return list.map(({ image, label }) => [image.shape, [...image.data], [...label.data]]);
    };
    const here = await collect(0);
    expect(here.map(([shape]) => shape)).toEqual([
      [5, 3, 6, 6],
      [5, 3, 6, 6],
      [2, 3, 6, 6],
    ]);
    expect(await collect(2)).toEqual(here);
  }, 120_000);

  test('names the file that cannot be read', async () => {
    const root = await tree('broken', { 'a/1.png': png(1), 'a/2.png': png(1).subarray(0, 60) });
    for (const workers of [0, 1]) {
      const source = batches(await ImageFolder.open(root), { transform: new HWC2CHW(), workers });
      const loop = async () => {
        for await (const _ of source);
      };
      await expect(loop()).rejects.toThrow(
        new RegExp(`image 1 \\(${join(root, 'a', '2.png')}\\): .*2.png: cannot be read as PNG`),
      );
    }
  }, 120_000);

  /** Paths of the pictures within `root`. */
  async function list(root: string): Promise<string[]> {
    const pictures = await ImageFolder.open(root);
    return Array.from({ length: pictures.length }, (_, index) =>
      relative(root, pictures.describe(index)),
    );
  }

  test('sorts by folders, then names, by code points as torchvision does', async () => {
    const names = [
      'a/b.png',
      'a/a b/x.png',
      'a/a/z.png',
      'a/a/é.png',
      'a/a/line\nbreak.png',
      'a/a/\u{1f600}.png',
      'a/a/\uff46.png',
      'a/B.png',
      'a/10.png',
      'a/9.png',
      '\u{1f600}/x.PnG',
      '\uff46/x.JPeG',
    ];
    const root = await tree('names', Object.fromEntries(names.map((name) => [name, png(1)])));
    expect(await list(root)).toEqual([
      'a/10.png',
      'a/9.png',
      'a/B.png',
      'a/b.png',
      'a/a/line\nbreak.png',
      'a/a/z.png',
      'a/a/é.png',
      'a/a/\uff46.png',
      'a/a/\u{1f600}.png',
      'a/a b/x.png',
      '\uff46/x.JPeG',
      '\u{1f600}/x.PnG',
    ]);
  });

  test('follows links to classes, folders and pictures', async () => {
    const store = await tree('store', {
      'cats/1.png': png(1),
      'cats/more/2.png': png(2),
      '3.png': png(3),
    });
    const root = await tree('linked', { 'dog/4.png': png(4) });
    await symlink(join(store, 'cats'), join(root, 'cat'));
    await symlink(join(store, '3.png'), join(root, 'dog', '3.png'));
    await symlink(join(store, 'cats', 'more'), join(root, 'dog', 'more'));
    await symlink('dog', join(root, 'wolf'));
    expect(await list(root)).toEqual([
      'cat/1.png',
      'cat/more/2.png',
      'dog/3.png',
      'dog/4.png',
      'dog/more/2.png',
      'wolf/3.png',
      'wolf/4.png',
      'wolf/more/2.png',
    ]);
    const { image, label } = await (await ImageFolder.open(root)).get(2);
    expect([image.data[0], label]).toEqual([3, 1]);
    await symlink(root, join(folder, 'link to the root'));
    expect(await list(join(folder, 'link to the root'))).toHaveLength(8);
  });

  test('leaves links out that lead to a folder in which they lie', async () => {
    const root = await tree('loops', { 'a/x/1.png': png(1), 'b/2.png': png(2) });
    await symlink('.', join(root, 'self'));
    await symlink('..', join(root, 'a', 'up'));
    await symlink('../..', join(root, 'a', 'x', 'root'));
    await symlink(join(root, 'a'), join(root, 'a', 'x', 'again'));
    await symlink(folder, join(root, 'a', 'outer'));
    expect(await list(root)).toEqual(['a/x/1.png', 'b/2.png']);
    // Two folders that link to each other: each is seen through the other, once.
    await symlink('../b', join(root, 'a', 'b'));
    await symlink('../a', join(root, 'b', 'a'));
    expect(await list(root)).toEqual(['a/b/2.png', 'a/x/1.png', 'b/2.png', 'b/a/x/1.png']);
  });

  test('refuses links that lead nowhere, and pictures of other formats', async () => {
    const root = await tree('links', { 'a/1.png': png(1) });
    const attempt = async (name: string, target: string, reason: RegExp) => {
      await symlink(target, join(root, name));
      await expect(ImageFolder.open(root)).rejects.toThrow(DataError);
      await expect(ImageFolder.open(root)).rejects.toThrow(reason);
      await rm(join(root, name));
    };
    await attempt(
      'a/gone.png',
      '/none',
      /^ImageFolder: .*links\/a\/gone\.png is a link that leads no/,
    );
    await attempt(
      'a/self.png',
      'self.png',
      /self\.png is a link that leads nowhere; mend or remove it$/,
    );
    await attempt('a/below', '1.png/x', /below is a link that leads nowhere/);
    await attempt('b', 'none', /links\/b is a link that leads nowhere; mend or remove it$/);
    await writeFile(join(root, 'a', 'x.WebP'), '');
    await expect(ImageFolder.open(root)).rejects.toThrow(
      /^ImageFolder: .*x\.WebP is WebP, which is not read; convert it to PNG or JPEG, or remove it$/,
    );
  });

  test('refuses a folder that may not be read', async () => {
    const root = await tree('locked', { 'a/1.png': png(1), 'b/1.png': png(1) });
    await chmod(join(root, 'a', '1.png'), 0);
    await chmod(join(root, 'b'), 0);
    // As root everything may be read, so the file system's answers are seen by another user only.
    const isRoot = process.getuid?.() === 0;
    await chmod(folder, 0o755);
    if (isRoot) process.seteuid?.(65534);
    try {
      await expect(ImageFolder.open(root)).rejects.toThrow(
        /locked\/b: permission is denied \(EACCES\)/,
      );
      await expect(readImage(join(root, 'a', '1.png'))).rejects.toThrow(
        /1\.png: permission is denied \(EACCES\)/,
      );
    } finally {
      if (isRoot) process.seteuid?.(0);
      await chmod(join(root, 'b'), 0o755);
    }
  });

  test('passes maxBytes on, also to workers', async () => {
    const root = await tree('limit', { 'a/1.png': png(1, 5) });
    const pictures = await ImageFolder.open(root, { maxBytes: 74 });
    await expect(pictures.get(0)).rejects.toThrow(
      /75 bytes when decoded, more than maxBytes allows/,
    );
    const loop = async (source: AsyncIterable<Batch>) => {
      for await (const _ of source);
    };
    const source = batches(pictures, { transform: new HWC2CHW(), workers: 1 });
    await expect(loop(source)).rejects.toThrow(/image 0 .*more than maxBytes allows \(74\)/);
    await expect(ImageFolder.open(root, { maxBytes: 0 })).rejects.toThrow(ValueError);
    await expect(ImageFolder.open(undefined as unknown as string)).rejects.toThrow(
      /ImageFolder: path must be a string, got undefined/,
    );
  }, 120_000);

  test('shows names on one line, whatever is in them', async () => {
    const root = await tree('marks', { 'a/x\n\x1b[31m.png': png(1).subarray(0, 60) });
    const pictures = await ImageFolder.open(root);
    const shown = /^[^\p{Cc}]*marks\/a\/x\\u000a\\u001b\[31m\.png[^\p{Cc}]*$/u;
    await expect(pictures.get(0)).rejects.toThrow(shown);
    const loop = async () => {
      for await (const _ of batches(pictures));
    };
    await expect(loop()).rejects.toThrow(shown);
    await symlink('none', join(root, 'a', 'y\n.png'));
    await expect(ImageFolder.open(root)).rejects.toThrow(/a\/y\\u000a\.png is a link that leads/);
  });

  test('refuses folders without classes or pictures', async () => {
    await expect(ImageFolder.open(join(folder, 'none'))).rejects.toThrow(/none: no such folder/);
    const flat = await tree('flat', { 'x.png': png(1) });
    await expect(ImageFolder.open(flat)).rejects.toThrow(/has no folders; it needs one for each/);
    const empty = await tree('empty', { 'a/x.png': png(1), 'b/x.gif': png(1) });
    await expect(ImageFolder.open(empty)).rejects.toThrow(/empty\/b has no .png or .jpg file/);
    await symlink('/none', join(empty, 'b', 'link.png'));
    await expect(ImageFolder.open(empty)).rejects.toThrow(/empty\/b has no .png or .jpg file/);
  });
});
