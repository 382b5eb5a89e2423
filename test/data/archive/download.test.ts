import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  Cifar100,
  type DownloadOptions,
  type DownloadProgress,
  downloadCifar10,
  downloadCifar100,
} from '@firelight/data';
import type { TarEntry } from 'modern-tar';
import { describe, expect, test } from 'vitest';
import { withLock } from '../../../packages/data/src/archive/lock.ts';
import { archiveOf, content, FOLDER, file, md5, NAMES } from '../../helpers/cifar-archive.ts';
import { PART, useDownloadSetting } from '../../helpers/download-setting.ts';
import { breaking, send, serve } from '../../helpers/loopback.ts';

const BATCH = `${FOLDER}/data_batch_1.bin`;

const setting = useDownloadSetting();

describe('downloadCifar10', () => {
  test('fetches, checks and unpacks the six files, and nothing else', async () => {
    const url = await serve(send(setting.whole));
    const progress: DownloadProgress[] = [];
    const onProgress = (p: DownloadProgress) => progress.push(p);
    const folder = await downloadCifar10(setting.directory, {
      urls: [url],
      md5: md5(setting.whole),
      onProgress,
    });
    expect(folder).toBe(join(setting.directory, FOLDER));
    expect((await readdir(folder)).sort()).toEqual([...NAMES].sort());
    expect(md5(await readFile(join(folder, 'data_batch_5.bin')))).toBe(md5(content));
    expect(await readdir(setting.directory)).toEqual([FOLDER]);
    expect(progress.at(-1)).toEqual({
      name: 'cifar-10-binary.tar.gz',
      receivedBytes: setting.whole.length,
      totalBytes: setting.whole.length,
    });
  }, 60_000);

  /** What must be true after any failure: nothing is left but what a later call can go on from. */
  async function expectFailure(
    url: string,
    sum: string,
    message: RegExp,
    left: string[] = [],
    options: DownloadOptions = {},
  ): Promise<void> {
    const download = downloadCifar10(setting.directory, {
      urls: [url],
      md5: sum,
      timeoutMs: 20_000,
      retries: 0,
      onProgress: null,
      ...options,
    });
    await expect(download).rejects.toThrow(message);
    await expect(download).rejects.toThrow(expect.objectContaining({ name: 'DataError' }));
    expect(await readdir(setting.directory)).toEqual(left);
  }

  test('refuses other bytes than the expected ones', async () => {
    const bytes = Buffer.from('not the archive');
    await expectFailure(await serve(send(bytes)), md5(setting.whole), /has MD5 \w+, expected \w+/);
  });

  test('says what the server answered', async () => {
    const url = await serve((_, response) => {
      response.statusCode = 404;
      response.end();
    });
    await expectFailure(
      url,
      md5(setting.whole),
      /answered 404 Not Found; try again, which goes on from what arrived, or fetch/,
    );
  });

  test('says how far it came when the connection breaks', async () => {
    const { listener, onProgress } = breaking(new Uint8Array(1000), 100);
    const message = /broke off after 100 of 1000 bytes/;
    await expectFailure(await serve(listener), md5(setting.whole), message, [PART], { onProgress });
  });

  test('gives up on a server that falls silent', async () => {
    const url = await serve((_, response) => {
      response.write('x');
    });
    const message = /has sent nothing for 1.5 s/;
    await expectFailure(url, md5(setting.whole), message, [PART], { timeoutMs: 1500 });
  });

  test('leaves no folder behind that it made for nothing', async () => {
    const fresh = join(setting.directory, 'new');
    await expect(
      downloadCifar10(fresh, { urls: ['http://127.0.0.1:9/'], onProgress: null }),
    ).rejects.toThrow();
    expect(await readdir(setting.directory)).toEqual([]);
  });

  test('says when no address is given, or a form that there is not', async () => {
    const none = downloadCifar10(setting.directory, { urls: [], onProgress: null });
    await expect(none).rejects.toThrow(/download of CIFAR-10: urls is empty; /);
    const python = new Cifar100({ path: setting.directory, download: { form: 'python' } });
    await expect(python.load()).rejects.toThrow(/CIFAR-100 is read in its binary form only/);
  });

  test('says when the folder cannot be written', async () => {
    const occupied = join(setting.directory, 'file');
    await writeFile(occupied, 'x');
    const download = downloadCifar10(join(occupied, 'data'), { onProgress: null });
    await expect(download).rejects.toThrow(/download of CIFAR-10: ENOTDIR.* put it into/);
    const lock = withLock(
      join(setting.directory, 'none', 'lock'),
      async () => {},
      () => {},
    );
    await expect(lock).rejects.toThrow(/cannot write .*none\/lock: ENOENT/);
  });

  test('says when there is no server', async () => {
    await expectFailure(
      'http://127.0.0.1:9/',
      md5(setting.whole),
      /127.0.0.1:9\/ cannot be reached/,
    );
  });

  const link = (type: 'link' | 'symlink'): TarEntry => ({
    header: { name: `${FOLDER}/data_batch_2.bin`, size: 0, type, linkname: '/etc/passwd' },
  });

  test.each<[what: string, entries: TarEntry[], message: RegExp]>([
    ['a path outside', [file('../evil', 'x')], /'..\/evil' lies outside cifar-10-batches-bin/],
    ['a way out', [file(`${FOLDER}/../evil`, 'x')], /bin\/..\/evil' lies outside/],
    ['an absolute path', [file('/etc/evil', 'x')], /'\/etc\/evil' lies outside/],
    ['a symbolic link', [link('symlink')], /data_batch_2.bin' is a symlink/],
    ['a hard link', [link('link')], /data_batch_2.bin' is a link/],
    ['a link after a file', [file(BATCH), link('symlink')], /is a symlink/],
    ['a file of another size', [file(BATCH, 'x')], /has 1 bytes, expected 30730000/],
    ['a file twice', [file(BATCH), file(BATCH)], /data_batch_1.bin' comes twice/],
    [
      'more than its files can have',
      [file(`${FOLDER}/readme.html`, new Uint8Array(260e6))],
      /unpacks to over 250000000 bytes/,
    ],
    [
      'missing files',
      [file(`${FOLDER}/readme.html`, 'x')],
      /the archive is refused: it lacks data_batch_1.bin/,
    ],
    [
      'a name of escapes for the terminal',
      [file(`\x1b[2J${'x'.repeat(90)}`, 'x')],
      /its member '\\u001b\[2Jx{31}…' lies outside/,
    ],
  ])(
    'refuses an archive with %s',
    async (_, entries, message) => {
      const bytes = await archiveOf(entries);
      await expectFailure(await serve(send(bytes)), md5(bytes), message);
    },
    60_000,
  );

  test('refuses what is no archive, or only a part of one', async () => {
    const bytes = Buffer.from('<html>Moved</html>');
    await expectFailure(
      await serve(send(bytes)),
      md5(bytes),
      /cannot be unpacked \(incorrect head/,
    );
    const cut = setting.whole.subarray(0, -20_000);
    await expectFailure(await serve(send(cut)), md5(cut), /cannot be unpacked \(unexpected end/);
  });
});

test('fetches the python form and CIFAR-100 into their own folders', async () => {
  const names = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}`).concat('test_batch');
  const batch = new Uint8Array(31_035_000);
  const python = await archiveOf(names.map((name) => file(`cifar-10-batches-py/${name}`, batch)));
  let url = await serve(send(python));
  const options = { md5: md5(python), form: 'python', urls: [url], onProgress: null } as const;
  const folder = await downloadCifar10(setting.directory, options);
  expect(folder).toBe(join(setting.directory, 'cifar-10-batches-py'));
  expect((await readdir(folder)).sort()).toEqual(names);

  const hundred = await archiveOf([
    file('cifar-100-binary/train.bin', new Uint8Array(50_000 * 3074)),
    file('cifar-100-binary/test.bin', new Uint8Array(10_000 * 3074)),
    file('cifar-100-binary/fine_label_names.txt', 'apple'),
  ]);
  url = await serve(send(hundred));
  await downloadCifar100(setting.directory, { urls: [url], md5: md5(hundred), onProgress: null });
  expect((await readdir(join(setting.directory, 'cifar-100-binary'))).sort()).toEqual([
    'test.bin',
    'train.bin',
  ]);
}, 60_000);
