import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import {
  type DownloadProgress,
  downloadCifar10,
  downloadCifar100,
  downloadProgressBar,
} from '@firelight/data';
import { packTar, type TarEntry } from 'modern-tar';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

const FOLDER = 'cifar-10-batches-bin';
const NAMES = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`).concat('test_batch.bin');
const PART = 'cifar-10-binary.tar.gz.part';
const content = new Uint8Array(30_730_000).fill(4);

const file = (name: string, body: Uint8Array | string = content): TarEntry => ({
  header: { name, size: body.length, type: 'file' },
  body,
});

const hardLink: TarEntry = {
  header: { name: `${FOLDER}/data_batch_2.bin`, size: 0, type: 'link', linkname: '/etc/passwd' },
};

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
    const folder = await downloadCifar10(directory, { urls: [url], md5: md5(whole), onProgress });
    expect(folder).toBe(join(directory, FOLDER));
    expect((await readdir(folder)).sort()).toEqual([...NAMES].sort());
    expect(md5(await readFile(join(folder, 'data_batch_5.bin')))).toBe(md5(content));
    expect(await readdir(directory)).toEqual([FOLDER]);
    expect(progress.at(-1)).toEqual({
      name: 'cifar-10-binary.tar.gz',
      receivedBytes: whole.length,
      totalBytes: whole.length,
    });
  }, 60_000);

  /** What must be true after any failure: nothing is left but what a later call can go on from. */
  async function expectFailure(
    url: string,
    sum: string,
    message: RegExp,
    left: string[] = [],
  ): Promise<void> {
    const options = { urls: [url], md5: sum, timeoutMs: 300, retries: 0, onProgress: null };
    const download = downloadCifar10(directory, options);
    await expect(download).rejects.toThrow(message);
    await expect(download).rejects.toThrow(expect.objectContaining({ name: 'DataError' }));
    expect(await readdir(directory)).toEqual(left);
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
    await expectFailure(
      url,
      md5(whole),
      /answered 404 Not Found; try again, which goes on from what arrived, or fetch/,
    );
  });

  test('says how far it came when the connection breaks', async () => {
    const url = await serve((_, response) => {
      response.setHeader('content-length', 1000);
      response.write(Buffer.alloc(100));
      setTimeout(() => response.destroy(), 50);
    });
    await expectFailure(url, md5(whole), /broke off after 100 of 1000 bytes/, [PART]);
  });

  test('gives up on a server that falls silent', async () => {
    const url = await serve((_, response) => {
      response.write('x');
    });
    await expectFailure(url, md5(whole), /has sent nothing for 0.3 s/, [PART]);
  });

  test('leaves no folder behind that it made for nothing', async () => {
    const fresh = join(directory, 'new');
    await expect(
      downloadCifar10(fresh, { urls: ['http://127.0.0.1:9/'], onProgress: null }),
    ).rejects.toThrow();
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
    ['a hard link', [hardLink], /is a link/],
    [
      'more than its files can have',
      [file(`${FOLDER}/readme.html`, new Uint8Array(260e6))],
      /unpacks to over 250000000 bytes/,
    ],
    ['missing files', [file(`${FOLDER}/readme.html`, 'x')], /the archive lacks data_batch_1.bin/],
  ])('refuses an archive with %s', async (_, entries, message) => {
    const bytes = await archiveOf(entries);
    await expectFailure(await serve(send(bytes)), md5(bytes), message);
  });
});

/** A server that sends ranges when asked, and the ranges that it was asked for. */
function ranges(bytes: Uint8Array, send: (response: ServerResponse, rest: Uint8Array) => void) {
  const asked: (string | undefined)[] = [];
  const listener: RequestListener = (request, response) => {
    const { range } = request.headers;
    asked.push(range);
    const start = range === undefined ? 0 : Number(/bytes=(\d+)-/.exec(range)?.[1]);
    const rest = bytes.subarray(start);
    if (rest.length === 0) {
      response.writeHead(416).end();
      return;
    }
    response.statusCode = range === undefined ? 200 : 206;
    response.setHeader('content-length', rest.length);
    if (range !== undefined) {
      response.setHeader('content-range', `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
    }
    send(response, rest);
  };
  return { asked, listener };
}

/** Sends so many bytes and breaks the connection, unless that is all. */
const atMost =
  (count: number) =>
  (response: ServerResponse, rest: Uint8Array): void => {
    if (rest.length <= count) response.end(rest);
    else response.write(rest.subarray(0, count), () => setTimeout(() => response.destroy(), 20));
  };

describe('a download that breaks off', () => {
  const options = () => ({ md5: md5(whole), onProgress: null, retryDelayMs: 10, timeoutMs: 2000 });

  test('goes on where it was, in the same call', async () => {
    const third = Math.ceil(whole.length / 3);
    const { asked, listener } = ranges(whole, atMost(third));
    const folder = await downloadCifar10(directory, {
      ...options(),
      urls: [await serve(listener)],
    });
    expect(asked).toEqual([undefined, `bytes=${third}-`, `bytes=${2 * third}-`]);
    expect(await readdir(folder)).toHaveLength(6);
  }, 60_000);

  test('goes on in a later call, and with another server', async () => {
    const { asked, listener } = ranges(whole, atMost(1000));
    const url = await serve(listener);
    const once = downloadCifar10(directory, { ...options(), urls: [url], retries: 0 });
    await expect(once).rejects.toThrow(/broke off after 1000 of \d+ bytes .* goes on from what/);
    expect(await readdir(directory)).toEqual([PART]);
    const mirror = await serve(listener.bind(null));
    const urls = ['http://127.0.0.1:9/', mirror, mirror];
    const again = downloadCifar10(directory, { ...options(), urls, retries: 0 });
    await expect(again).rejects.toThrow(/cannot be reached.*broke off after 2000.*after 3000/);
    expect(asked).toEqual([undefined, 'bytes=1000-', 'bytes=2000-']);
  });

  test('starts anew where the server sends no ranges, or what is there is of another file', async () => {
    await writeFile(join(directory, PART), 'not the archive');
    const url = await serve(send(whole));
    await downloadCifar10(directory, { ...options(), urls: [url] });
    await rm(join(directory, FOLDER), { recursive: true });
    await writeFile(join(directory, PART), 'not the archive');
    const { asked, listener } = ranges(whole, (response, rest) => response.end(rest));
    await downloadCifar10(directory, { ...options(), urls: [await serve(listener)] });
    expect(asked).toEqual(['bytes=15-', undefined]);
    expect(await readdir(directory)).toEqual([FOLDER]);
  }, 60_000);

  test('fetches nothing when all of it, the archive, or its files are there', async () => {
    const { asked, listener } = ranges(whole, (response, rest) => response.end(rest));
    const urls = [await serve(listener)];
    await writeFile(join(directory, PART), whole);
    const folder = await downloadCifar10(directory, { ...options(), urls });
    await downloadCifar10(directory, { ...options(), urls });
    await rm(folder, { recursive: true });
    const archive = join(directory, 'cifar-10-binary.tar.gz');
    await writeFile(archive, whole);
    await downloadCifar10(directory, { ...options(), urls });
    expect(asked).toEqual([]);
    expect(await readFile(archive)).toEqual(whole); // The user's own file stays.
    await rm(folder, { recursive: true });
    await writeFile(archive, 'cut');
    await expect(downloadCifar10(directory, { ...options(), urls })).rejects.toThrow(
      /cifar-10-binary.tar.gz, which is there, has MD5 \w+, expected \w+; remove it/,
    );
  }, 60_000);

  test('refuses a server that lies about the length', async () => {
    const more = await serve((_, response) => {
      response.setHeader('content-length', whole.length + 10);
      response.end(whole);
    });
    const tooMany = { ...options(), urls: [more], retries: 1, timeoutMs: 500 };
    // It breaks off before the promised end, but by then all bytes are there and right.
    const folder = await downloadCifar10(directory, tooMany);
    await rm(folder, { recursive: true });
    const huge = await serve((_, response) => {
      response.setHeader('content-length', 10e9);
      response.write('x');
    });
    await expect(downloadCifar10(directory, { ...options(), urls: [huge] })).rejects.toThrow(
      /has 10000000000 bytes, cifar-10-binary.tar.gz has at most 200000000/,
    );
    const fewer = await serve((_, response) => {
      response.setHeader('content-length', 1000);
      response.socket?.write(
        `HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n${'x'.repeat(5000)}`,
        () => response.socket?.destroy(),
      );
    });
    await expect(
      downloadCifar10(directory, { ...options(), urls: [fewer], retries: 0 }),
    ).rejects.toThrow(/has MD5|broke off|cannot be reached/);
    expect((await readdir(directory)).filter((name) => name !== PART)).toEqual([]);
  });
});

test('fetches the python form and CIFAR-100 into their own folders', async () => {
  const names = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}`).concat('test_batch');
  const batch = new Uint8Array(31_035_000);
  const python = await archiveOf(names.map((name) => file(`cifar-10-batches-py/${name}`, batch)));
  let url = await serve(send(python));
  const options = { md5: md5(python), form: 'python', urls: [url], onProgress: null } as const;
  const folder = await downloadCifar10(directory, options);
  expect(folder).toBe(join(directory, 'cifar-10-batches-py'));
  expect((await readdir(folder)).sort()).toEqual(names);

  const hundred = await archiveOf([
    file('cifar-100-binary/train.bin', new Uint8Array(50_000 * 3074)),
    file('cifar-100-binary/test.bin', new Uint8Array(10_000 * 3074)),
    file('cifar-100-binary/fine_label_names.txt', 'apple'),
  ]);
  url = await serve(send(hundred));
  await downloadCifar100(directory, { urls: [url], md5: md5(hundred), onProgress: null });
  expect((await readdir(join(directory, 'cifar-100-binary'))).sort()).toEqual([
    'test.bin',
    'train.bin',
  ]);
}, 60_000);

describe('two processes', () => {
  const script = fileURLToPath(new URL('../fixtures/processes/download.ts', import.meta.url));
  const flags = ['--conditions=development', '--import', 'tsx', script];

  let complaints: string[] = [];
  beforeEach(() => {
    complaints = [];
  });

  function start(url: string): { process: ChildProcess; ended: Promise<number | null> } {
    const child = spawn(process.execPath, [...flags, directory, url, md5(whole)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr?.on('data', (text) => complaints.push(String(text)));
    return { process: child, ended: new Promise((resolve) => child.on('close', resolve)) };
  }

  test('that want the same folder fetch the archive once', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests++;
      setTimeout(() => response.end(whole), 500);
    });
    const children = [start(url), start(url), start(url)];
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0, 0]);
    expect(requests).toBe(1);
    const waiting = `waiting: another process fetches cifar-10-binary.tar.gz into ${directory}\n`;
    expect(complaints).toEqual([waiting, waiting]);
    expect(await readdir(directory)).toEqual([FOLDER]);
    expect(await readdir(join(directory, FOLDER))).toHaveLength(6);
  }, 60_000);

  test('of which one is killed: the other takes over and goes on', async () => {
    let kill = (): void => {};
    const { asked, listener } = ranges(whole, (response, rest) => {
      if (asked.length > 1) response.end(rest);
      else response.write(rest.subarray(0, 5000), () => setTimeout(() => kill(), 300));
    });
    const url = await serve(listener);
    const first = start(url);
    kill = () => first.process.kill('SIGKILL');
    await first.ended;
    expect((await readdir(directory)).sort()).toEqual(['cifar-10-binary.tar.gz.lock', PART]);
    expect(await start(url).ended).toBe(0);
    expect(asked).toEqual([undefined, 'bytes=5000-']);
    expect(await readdir(directory)).toEqual([FOLDER]);
  }, 60_000);
});

describe('downloadProgressBar', () => {
  const at = (receivedBytes: number, totalBytes: number | null = 2e6) => ({
    name: 'a.tar.gz',
    receivedBytes,
    totalBytes,
  });

  test('writes a line for each tenth where there is no terminal', () => {
    const written: string[] = [];
    const show = downloadProgressBar({ write: (text) => written.push(text) });
    for (const bytes of [0, 1000, 200_000, 390_000, 2e6]) show(at(bytes));
    show(at(5, null));
    expect(written.join('')).toBe(
      'a.tar.gz: 0 % of 2.0 MB\na.tar.gz: 10 % of 2.0 MB\na.tar.gz: 100 % of 2.0 MB\n',
    );
  });

  test('redraws its line on a terminal', () => {
    const written: string[] = [];
    const show = downloadProgressBar({ isTTY: true, write: (text) => written.push(text) });
    show(at(1e6));
    show(at(1_000_001));
    show(at(2e6));
    expect(written).toHaveLength(2);
    expect(written[0]).toMatch(/^\ra.tar.gz \[={12} {12}\] {2}50 % {2}1.0\/2.0 MB {2}/);
    expect(written[1]).toMatch(/\[={24}\] 100 % {2}2.0\/2.0 MB {2}[\d.]+ MB\/s/);
    expect(written[1].endsWith('\x1b[K\n')).toBe(true);
  });
});
