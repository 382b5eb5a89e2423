import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { FOLDER, md5 } from '../../helpers/cifar-archive.ts';
import { PART, useDownloadSetting } from '../../helpers/download-setting.ts';
import { ranges, serve } from '../../helpers/loopback.ts';

const setting = useDownloadSetting();

describe('two processes', () => {
  const script = fileURLToPath(new URL('../../fixtures/processes/download.ts', import.meta.url));
  const flags = ['--conditions=@firelight/source', '--import', 'tsx', script];

  const start = (url: string) =>
    spawn(process.execPath, [...flags, setting.directory, url, md5(setting.whole)]);
  const exitOf = (child: ChildProcess) => new Promise((resolve) => child.on('close', resolve));

  test('that want the same folder fetch the archive once', async () => {
    const complaints: string[] = [];
    let tellThatBothWait = (): void => {};
    const bothWait = new Promise<void>((resolve) => {
      tellThatBothWait = resolve;
    });
    let requests = 0;
    const url = await serve(async (_, response) => {
      requests++;
      await bothWait;
      response.end(setting.whole);
    });
    const children = [start(url), start(url), start(url)];
    for (const { stderr } of children) {
      stderr.on('data', (text) => {
        complaints.push(String(text));
        if (complaints.length === 2) tellThatBothWait();
      });
    }
    expect(await Promise.all(children.map(exitOf))).toEqual([0, 0, 0]);
    expect(requests).toBe(1);
    const waiting = `waiting: another process fetches cifar-10-binary.tar.gz into ${setting.directory}\n`;
    expect(complaints).toEqual([waiting, waiting]);
    expect(await readdir(setting.directory)).toEqual([FOLDER]);
    expect(await readdir(join(setting.directory, FOLDER))).toHaveLength(6);
  }, 120_000);

  test('of which one is killed: the other takes over and goes on', async () => {
    const { asked, listener } = ranges(setting.whole, (response, rest) => {
      if (asked.length > 1) response.end(rest);
      else response.write(rest.subarray(0, 5000));
    });
    const url = await serve(listener);
    const first = start(url);
    first.stdout.once('data', () => first.kill('SIGKILL')); // Something has arrived.
    await exitOf(first);
    expect((await readdir(setting.directory)).sort()).toEqual([
      'cifar-10-binary.tar.gz.lock',
      PART,
    ]);
    const { size } = await stat(join(setting.directory, PART));
    expect(size).toBeGreaterThan(0);
    expect(await exitOf(start(url))).toBe(0);
    expect(asked).toEqual([undefined, `bytes=${size}-`]);
    expect(await readdir(setting.directory)).toEqual([FOLDER]);
  }, 120_000);
});
