import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type DownloadProgress, downloadCifar10 } from '@firelight/data';
import { packTar, type TarEntry } from 'modern-tar';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

const FOLDER = 'cifar-10-batches-bin';
const NAMES = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`).concat('test_batch.bin');
const content = new Uint8Array(30_730_000).fill(4);

const file = (name: string, body: Uint8Array | string = content): TarEntry => ({
  header: { name, size: body.length, type: 'file' },
  body,
});

async function archiveOf(entries: TarEntry[]): Promise<Buffer> {
  return gzipSync(await packTar(entries), { level: 1 });
}

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

let whole: Buffer;
let directory: string;
let server: Server | undefined;

beforeAll(async () => {
  const entries = [
    ...NAMES.map((name) => file(`${FOLDER}/${name}`)),
    file(`${FOLDER}/readme.html`, 'hi'),
  ];
  whole = await archiveOf(entries);
}, 120_000);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'firelight-download-'));
});

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(directory, { recursive: true, force: true });
});

/** A real server on loopback; returns its address. */
async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/cifar.tar.gz`;
}

const send =
  (bytes: Uint8Array): RequestListener =>
  (_, response) => {
    response.setHeader('content-length', bytes.length);
    response.end(bytes);
  };

describe('downloadCifar10', () => {
  test('fetches, checks and unpacks the six files, and nothing else', async () => {
    const url = await serve(send(whole));
    const progress: DownloadProgress[] = [];
    const onProgress = (p: DownloadProgress) => progress.push(p);
    const folder = await downloadCifar10(directory, { url, md5: md5(whole), onProgress });
    expect(folder).toBe(join(directory, FOLDER));
    expect((await readdir(folder)).sort()).toEqual([...NAMES].sort());
    expect(md5(await readFile(join(folder, 'data_batch_5.bin')))).toBe(md5(content));
    expect(await readdir(directory)).toEqual([FOLDER]);
    expect(progress.at(-1)).toEqual({ receivedBytes: whole.length, totalBytes: whole.length });
  }, 60_000);

  /** What must be true after any failure: nothing half-made is left. */
  async function expectFailure(url: string, sum: string, message: RegExp): Promise<void> {
    const download = downloadCifar10(directory, { url, md5: sum, timeoutMs: 300 });
    await expect(download).rejects.toThrow(message);
    await expect(download).rejects.toThrow(expect.objectContaining({ name: 'DataError' }));
    expect(await readdir(directory)).toEqual([]);
  }

  test('refuses other bytes than the expected ones', async () => {
    const bytes = Buffer.from('not the archive');
    await expectFailure(await serve(send(bytes)), md5(whole), /has MD5 \w+, expected \w+/);
  });

  test('says what the server answered', async () => {
    const url = await serve((_, response) => {
      response.statusCode = 404;
      response.end();
    });
    await expectFailure(url, md5(whole), /answered 404 Not Found; try again, or fetch/);
  });

  test('says how far it came when the connection breaks', async () => {
    const url = await serve((_, response) => {
      response.setHeader('content-length', 1000);
      response.write(Buffer.alloc(100));
      setTimeout(() => response.destroy(), 50);
    });
    await expectFailure(url, md5(whole), /broke off after 100 of 1000 bytes/);
  });

  test('gives up on a server that falls silent', async () => {
    const url = await serve((_, response) => {
      response.write('x');
    });
    await expectFailure(url, md5(whole), /has sent nothing for 0.3 s/);
  });

  test('leaves no folder behind that it made for nothing', async () => {
    const fresh = join(directory, 'new');
    await expect(downloadCifar10(fresh, { url: 'http://127.0.0.1:9/' })).rejects.toThrow();
    expect(await readdir(directory)).toEqual([]);
  });

  test('says when there is no server', async () => {
    await expectFailure('http://127.0.0.1:9/', md5(whole), /127.0.0.1:9\/ cannot be reached/);
  });

  test.each<[what: string, entries: TarEntry[], message: RegExp]>([
    ['a path outside', [file('../evil', 'x')], /'\.\.\/evil' lies outside|refused|outside/],
    ['an absolute path', [file('/etc/evil', 'x')], /lies outside cifar-10-batches-bin|outside/],
    [
      'a link',
      [
        {
          header: {
            name: `${FOLDER}/data_batch_1.bin`,
            size: 0,
            type: 'symlink',
            linkname: '/etc',
          },
        },
      ],
      /is a symlink/,
    ],
    ['a file of another size', [file(`${FOLDER}/test_batch.bin`, 'x')], /has 1 bytes, expected/],
    ['missing files', [file(`${FOLDER}/readme.html`, 'x')], /the archive lacks data_batch_1.bin/],
  ])('refuses an archive with %s', async (_, entries, message) => {
    const bytes = await archiveOf(entries);
    await expectFailure(await serve(send(bytes)), md5(bytes), message);
  });
});
