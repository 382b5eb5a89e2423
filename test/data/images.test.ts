import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Batch,
  batches,
  CenterCrop,
  Compose,
  decodeImage,
  HWC2CHW,
  ImageFolder,
  Rescale,
  Resize,
  readImage,
} from '@firelight/data';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedPath } from '../helpers/shared.ts';

// The decoders that the package has, and the root need not have.
const ofPackage = createRequire(new URL('../../packages/data/package.json', import.meta.url));
const { encode } = await import(ofPackage.resolve('fast-png'));
const { encode: encodeJpeg } = await import(ofPackage.resolve('jpeg-js'));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-images-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('readImage', () => {
  test('reads PNG of any kind', async () => {
    const cases: [object, number[]][] = [
      [{ data: Uint8Array.of(10, 20, 30), channels: 3 }, [10, 20, 30]],
      [{ data: Uint8Array.of(0, 0, 0, 51), channels: 4 }, [204, 204, 204]],
      [{ data: Uint8Array.of(77), channels: 1 }, [77, 77, 77]],
      [{ data: Uint16Array.of(0xffff), channels: 1, depth: 16 }, [255, 255, 255]],
    ];
    for (const [png, expected] of cases) {
      const path = join(folder, 'picture.png');
      await writeFile(path, encode({ width: 1, height: 1, ...png }));
      expect(Array.from((await readImage(path)).data)).toEqual(expected);
    }
  });

  test.skipIf(sharedPath('images') === null)(
    'reads JPEG as PIL does, within 3 of 255 (skipped without ../shared/images)',
    async () => {
      const image = await readImage(sharedPath('images', 'tabby.jpg') as string);
      const ppm = await readFile(sharedPath('images', '224', 'tabby.ppm') as string);
      const expected = ppm.subarray(-224 * 224 * 3);
      expect(image).toMatchObject({ height: 224, width: 224, channels: 3, layout: 'HWC' });
      let largest = 0;
      for (const [i, byte] of expected.entries()) {
        largest = Math.max(largest, Math.abs(image.data[i] - byte));
      }
      expect(largest).toBeLessThanOrEqual(3);
    },
  );

  test('refuses what is none in one sentence', async () => {
    const write = async (name: string, bytes: number[]) => {
      await writeFile(join(folder, name), Uint8Array.from(bytes));
      return join(folder, name);
    };
    await expect(readImage(join(folder, 'none.png'))).rejects.toThrow(/none\.png: no such file/);
    await expect(readImage(await write('text', [65]))).rejects.toThrow(
      /text: is neither PNG nor JPEG/,
    );
    await expect(readImage(await write('cut.png', [0x89, 0x50, 0x4e]))).rejects.toThrow(
      /cut\.png: cannot be read as PNG/,
    );
    await expect(readImage(await write('cut.jpg', [0xff, 0xd8, 0xff]))).rejects.toThrow(
      /cut\.jpg: cannot be read as JPEG/,
    );
  });
});

test('decodeImage refuses a small file that would unpack to gigabytes', async () => {
  const png = encode({ width: 1, height: 1, data: Uint8Array.of(1, 2, 3), channels: 3 });
  new DataView(png.buffer, png.byteOffset).setUint32(16, 60_000);
  new DataView(png.buffer, png.byteOffset).setUint32(20, 60_000);
  await expect(decodeImage(png)).rejects.toThrow(/3600000000 pixels, at most 100000000/);
});

describe('ImageFolder', () => {
  const png = (value: number, side = 4): Uint8Array =>
    encode({
      width: side,
      height: side,
      data: new Uint8Array(side * side * 3).fill(value),
      channels: 3,
    });

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
      [2, 1],
      [3, 1],
      [128, 1],
      [0, 1],
    ]);
    expect(pictures.describe(2)).toBe(join(root, 'dog', 'b.PNG'));
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
