import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  type Batch,
  DataError,
  downloadFashionMnist,
  FASHION_MNIST_MEAN,
  FASHION_MNIST_STD,
  FashionMnist,
  type FashionMnistOptions,
  findFashionMnist,
  parseIdx,
} from '@firelight/data';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { closeServers, serve } from '../../helpers/loopback.ts';
import { mutantsOf } from '../../helpers/mutations.ts';

/** Where Debian's package dataset-fashion-mnist puts the files. */
const REAL = '/usr/share/datasets/fashion-mnist';
const NAMES = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];

function idx(shape: readonly number[], elements: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  for (const [axis, length] of shape.entries()) header.writeUInt32BE(length, 4 + 4 * axis);
  return Buffer.concat([header, elements]);
}

const pixels = Uint8Array.from({ length: 3 * 28 * 28 }, (_, i) => i % 251);
const images = idx([3, 28, 28], pixels);
const labels = idx([3], Uint8Array.of(7, 0, 9));

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'firelight-idx-'));
});

afterEach(async () => {
  closeServers();
  await rm(directory, { recursive: true, force: true });
});

/** Writes both files of the training split, packed; small ones would not have enough bytes. */
async function write(name: string, bytes: Uint8Array): Promise<void> {
  const noise = gzipSync(bytes, { level: 0 });
  // A comment in the header makes a small file as long as a real one may be.
  const [head, rest] = [noise.subarray(0, 10), noise.subarray(10)];
  head[3] = 16;
  await writeFile(
    join(directory, `${name}-ubyte.gz`),
    Buffer.concat([head, Buffer.alloc(2000, 'a'), Buffer.of(0), rest]),
  );
}

async function collect(options: Omit<FashionMnistOptions, 'path'> = {}): Promise<Batch[]> {
  const batches: Batch[] = [];
  const dataset = new FashionMnist({ path: directory, shuffle: false, ...options });
  for await (const batch of dataset) batches.push(batch);
  return batches;
}

describe('FashionMnist', () => {
  test('makes batches of packed files, with 0 and 2 workers', async () => {
    await write('train-images-idx3', images);
    await write('train-labels-idx1', labels);
    for (const workers of [0, 2]) {
      const [batch] = await collect({ batchSize: 3, workers });
      expect(batch.image.shape).toEqual([3, 1, 28, 28]);
      expect(Array.from(batch.label.data)).toEqual([7, 0, 9]);
      const expected = Array.from(pixels, (value) =>
        Math.fround((value / 255 - FASHION_MNIST_MEAN) / FASHION_MNIST_STD),
      );
      for (const [i, value] of batch.image.data.entries())
        expect(value).toBeCloseTo(expected[i], 5);
    }
  });

  test.skipIf(!existsSync(REAL))(
    `reads the real files (skipped without ${REAL}: apt-get install dataset-fashion-mnist)`,
    async () => {
      const train = await new FashionMnist({ path: REAL }).load();
      expect(train.length).toBe(60_000);
      const first = await train.get(0);
      expect(first.label).toBe(9); // An ankle boot, as in the data set's own README.
      expect([first.image.height, first.image.width, first.image.channels]).toEqual([28, 28, 1]);
      let sum = 0;
      let squares = 0;
      for (let i = 0; i < train.length; i++) {
        for (const value of (await train.get(i)).image.data) {
          sum += value / 255;
          squares += (value / 255) ** 2;
        }
      }
      const mean = sum / (train.length * 784);
      expect(mean).toBeCloseTo(FASHION_MNIST_MEAN, 3);
      expect(Math.sqrt(squares / (train.length * 784) - mean ** 2)).toBeCloseTo(
        FASHION_MNIST_STD,
        3,
      );
      // Unpacked files do as well.
      for (const name of NAMES.slice(2)) {
        const packed = await readFile(join(REAL, `${name}-ubyte.gz`));
        await writeFile(join(directory, `${name}-ubyte`), gunzipSync(packed));
      }
      const labels: number[] = new Array(10).fill(0);
      const unpacked = await new FashionMnist({ path: directory, split: 'test' }).load();
      for (let i = 0; i < unpacked.length; i++) labels[(await unpacked.get(i)).label]++;
      expect(labels).toEqual(new Array(10).fill(1000));
    },
  );

  test('says what is wrong with files, options and single files', async () => {
    await expect(new FashionMnist({ path: directory }).load()).rejects.toThrow(
      /^Fashion-MNIST: .* has no file of the train split; put train-images-idx3-ubyte.gz .* or pass download: true/,
    );
    expect(() => new FashionMnist({} as FashionMnistOptions)).toThrow(/FashionMnist: path must be/);
    expect(() => new FashionMnist({ path: '.', split: 'val' as 'test' })).toThrow(
      "FashionMnist: split must be 'train', 'test' or 'all', got 'val'",
    );
    await write('train-images-idx3', images);
    await write('train-labels-idx1', idx([2], Uint8Array.of(1, 2)));
    await expect(new FashionMnist({ path: directory }).load()).rejects.toThrow(
      /a label for each image, got images \[3, 28, 28\] and labels \[2\]; take both files/,
    );
    await write('train-labels-idx1', idx([3], Uint8Array.of(1, 2, 10)));
    await expect(new FashionMnist({ path: directory }).load()).rejects.toThrow(
      /label 2 is 10, expected 0 to 9/,
    );
    await write('train-labels-idx1', labels);
    await expect(new FashionMnist({ path: directory, limit: 4 }).load()).rejects.toThrow(
      /limit is 4, but there are only 3 images/,
    );
    const file = join(directory, 'train-images-idx3-ubyte.gz');
    await expect(new FashionMnist({ path: file }).load()).rejects.toThrow(/pass their folder/);
    await writeFile(file, (await readFile(file)).subarray(0, 4000));
    await expect(new FashionMnist({ path: directory }).load()).rejects.toThrow(
      /is no whole gzip file; fetch it again/,
    );
  });

  test('is fetched file by file, and what has another checksum is refused', async () => {
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.url);
      response.end('not the file');
    });
    const mirror = url.slice(0, url.lastIndexOf('/'));
    const download = downloadFashionMnist(directory, {
      urls: [mirror],
      onProgress: null,
      retries: 0,
    });
    await expect(download).rejects.toThrow(
      /download of Fashion-MNIST: .*train-images-idx3-ubyte.gz has MD5 \w+, expected 8d4fb7e6/,
    );
    expect(asked).toEqual(['/train-images-idx3-ubyte.gz']);
    // What is there is not asked for.
    await mkdir(join(directory, 'fashion-mnist'), { recursive: true });
    for (const name of NAMES) {
      await writeFile(join(directory, 'fashion-mnist', `${name}-ubyte.gz`), Buffer.alloc(1000));
    }
    await expect(downloadFashionMnist(directory)).resolves.toBe(join(directory, 'fashion-mnist'));
  });
});

describe('parseIdx', () => {
  test('gives shape and elements', () => {
    expect(parseIdx(images)).toEqual({ shape: [3, 28, 28], data: expect.anything() });
    expect(Array.from(parseIdx(labels).data)).toEqual([7, 0, 9]);
  });

  test.each([
    [Buffer.alloc(0), /IDX file: is no IDX file, which begins with two zeros/],
    [gzipSync(labels), /unpack it with gunzip first/],
    [Buffer.of(0, 0, 13, 1, 0, 0, 0, 0), /has elements of float32; only unsigned bytes are read/],
    [Buffer.of(0, 0, 3, 1, 0, 0, 0, 0), /has elements of type 0x03/],
    [images.subarray(0, 9), /has 9 bytes, too few for the lengths of 3 axes/],
    [images.subarray(0, 99), /has 99 bytes, but an array \[3, 28, 28\] needs 2368; fetch it again/],
    [Buffer.concat([labels, Buffer.of(0)]), /has 12 bytes, but an array \[3\] needs 11/],
  ])('refuses what is damaged: %#', (bytes, message) => {
    expect(() => parseIdx(bytes)).toThrow(DataError);
    expect(() => parseIdx(bytes)).toThrow(message);
  });

  test('refuses or reads any damaged file', () => {
    fc.assert(
      fc.property(mutantsOf(images), (bytes) => {
        try {
          const { shape, data } = parseIdx(bytes);
          expect(data).toHaveLength(shape.reduce((product, length) => product * length, 1));
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('findFashionMnist', () => {
  test('takes the variable before the folders, and says what it asked for', async () => {
    await write(NAMES[0], images);
    const env = { FIRELIGHT_FASHION_MNIST: directory };
    expect(await findFashionMnist({ env })).toEqual({
      path: directory,
      origin: 'FIRELIGHT_FASHION_MNIST',
    });
    expect(await findFashionMnist({ env: {}, candidates: ['/none'] })).toBeNull();
    await expect(findFashionMnist({ env: { FIRELIGHT_FASHION_MNIST: '/none' } })).rejects.toThrow(
      /^findFashionMnist: no Fashion-MNIST files in \/none \(from FIRELIGHT_FASHION_MNIST\); put train-images/,
    );
  });

  test.skipIf(!existsSync(REAL))(`finds Debian's files (skipped without ${REAL})`, async () => {
    const candidates = ['/none', REAL];
    expect(await findFashionMnist({ env: {}, candidates })).toEqual({ path: REAL, origin: REAL });
  });
});
