import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadCifar10 } from '@firelight/data';
import { describe, expect, test } from 'vitest';
import { fetchFile } from '../../../packages/data/src/archive/fetch-file.ts';
import { FOLDER, md5 } from '../../helpers/cifar-archive.ts';
import { PART, useDownloadSetting } from '../../helpers/download-setting.ts';
import { breaking, ranges, send, serve } from '../../helpers/loopback.ts';

const setting = useDownloadSetting();

describe('a download that breaks off', () => {
  const options = () => ({
    md5: md5(setting.whole),
    onProgress: null,
    retryDelayMs: 10,
    timeoutMs: 20_000,
  });

  test('goes on where it was, in the same call', async () => {
    const third = Math.ceil(setting.whole.length / 3);
    const { asked, listener, onProgress } = breaking(setting.whole, third);
    const urls = [await serve(listener)];
    const folder = await downloadCifar10(setting.directory, { ...options(), urls, onProgress });
    expect(asked).toEqual([undefined, `bytes=${third}-`, `bytes=${2 * third}-`]);
    expect(await readdir(folder)).toHaveLength(6);
  }, 60_000);

  test('goes on in a later call, and with another server', async () => {
    const { asked, listener, onProgress } = breaking(setting.whole, 1000);
    const url = await serve(listener);
    const broken = { ...options(), retries: 0, onProgress };
    const once = downloadCifar10(setting.directory, { ...broken, urls: [url] });
    await expect(once).rejects.toThrow(/broke off after 1000 of \d+ bytes .* goes on from what/);
    expect(await readdir(setting.directory)).toEqual([PART]);
    const mirror = await serve(listener.bind(null));
    const urls = ['http://127.0.0.1:9/', mirror, mirror];
    const again = downloadCifar10(setting.directory, { ...broken, urls });
    await expect(again).rejects.toThrow(/cannot be reached.*broke off after 2000.*after 3000/);
    expect(asked).toEqual([undefined, 'bytes=1000-', 'bytes=2000-']);
  });

  test('starts anew where the server sends no ranges, or what is there is of another file', async () => {
    await writeFile(join(setting.directory, PART), 'not the archive');
    const url = await serve(send(setting.whole));
    await downloadCifar10(setting.directory, { ...options(), urls: [url] });
    await rm(join(setting.directory, FOLDER), { recursive: true });
    await writeFile(join(setting.directory, PART), 'not the archive');
    const { asked, listener } = ranges(setting.whole, (response, rest) => response.end(rest));
    await downloadCifar10(setting.directory, { ...options(), urls: [await serve(listener)] });
    expect(asked).toEqual(['bytes=15-', undefined]);
    expect(await readdir(setting.directory)).toEqual([FOLDER]);
  }, 60_000);

  test('fetches nothing when all of it, the archive, or its files are there', async () => {
    const { asked, listener } = ranges(setting.whole, (response, rest) => response.end(rest));
    const urls = [await serve(listener)];
    await writeFile(join(setting.directory, PART), setting.whole);
    const folder = await downloadCifar10(setting.directory, { ...options(), urls });
    await downloadCifar10(setting.directory, { ...options(), urls });
    await rm(folder, { recursive: true });
    const archive = join(setting.directory, 'cifar-10-binary.tar.gz');
    await writeFile(archive, setting.whole);
    await downloadCifar10(setting.directory, { ...options(), urls });
    expect(asked).toEqual([]);
    expect(await readFile(archive)).toEqual(setting.whole); // The user's own file stays.
    await rm(folder, { recursive: true });
    await writeFile(archive, 'cut');
    await expect(downloadCifar10(setting.directory, { ...options(), urls })).rejects.toThrow(
      /cifar-10-binary.tar.gz, which is there, has MD5 \w+, expected \w+; remove it/,
    );
  }, 60_000);

  test('refuses a server that lies about the length', async () => {
    const more = await serve((_, response) => {
      response.setHeader('content-length', setting.whole.length + 10);
      response.end(setting.whole);
    });
    // It falls silent before the promised end, but by then all bytes are there and right.
    const tooMany = { ...options(), urls: [more], retries: 0, timeoutMs: 1500 };
    const folder = await downloadCifar10(setting.directory, tooMany);
    await rm(folder, { recursive: true });
    const huge = await serve((_, response) => {
      response.setHeader('content-length', 10e9);
      response.write('x');
    });
    await expect(
      downloadCifar10(setting.directory, { ...options(), urls: [huge] }),
    ).rejects.toThrow(/has 10000000000 bytes, cifar-10-binary.tar.gz has at most 200000000/);
    const fewer = await serve((_, response) => {
      response.setHeader('content-length', 1000);
      response.socket?.write(
        `HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n${'x'.repeat(5000)}`,
        () => response.socket?.destroy(),
      );
    });
    await expect(
      downloadCifar10(setting.directory, { ...options(), urls: [fewer] }),
    ).rejects.toThrow(/has MD5 \w+, expected/);
    expect(await readdir(setting.directory)).toEqual([]);
  }, 60_000);

  test('asks again after an error of the server, or another part than it asked for', async () => {
    let requests = 0;
    const { listener } = ranges(setting.whole, (response, rest) => response.end(rest));
    const url = await serve((request, response) => {
      requests++;
      if (requests === 1) response.writeHead(503).end();
      else if (requests === 2) {
        response
          .writeHead(206, { 'content-range': `bytes 5-9/${setting.whole.length}` })
          .end('12345');
      } else listener(request, response);
    });
    await writeFile(join(setting.directory, PART), setting.whole.subarray(0, 100));
    const once = { ...options(), urls: [url], retries: 1 };
    await expect(downloadCifar10(setting.directory, once)).rejects.toThrow(
      /sent another part than the one that was asked for/,
    );
    await downloadCifar10(setting.directory, once);
    expect(requests).toBe(3);
  }, 60_000);

  test('ends where more arrives than the file can have', async () => {
    const url = await serve((_, response) => {
      response.write('more than ten bytes');
    });
    const limits = { ...options(), name: 'small', mostBytes: 10, retries: 0, onProgress: () => {} };
    await expect(fetchFile(join(setting.directory, 'part'), url, limits)).rejects.toThrow(
      /sends more than 10 bytes, too many for small/,
    );
  });
});
