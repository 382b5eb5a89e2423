import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FOLDER, md5, wholeArchive } from '../helpers/cifar-archive.ts';
import { closeServers, ranges, serve } from '../helpers/loopback.ts';

const PART = 'cifar-10-binary.tar.gz.part';

let whole: Buffer;
let directory: string;

beforeAll(async () => {
  whole = await wholeArchive();
}, 120_000);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'firelight-download-'));
});

afterEach(async () => {
  closeServers();
  await rm(directory, { recursive: true, force: true });
});

describe('two processes', () => {
  const script = fileURLToPath(new URL('../fixtures/processes/download.ts', import.meta.url));
  const flags = ['--conditions=development', '--import', 'tsx', script];

  const start = (url: string) => spawn(process.execPath, [...flags, directory, url, md5(whole)]);
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
      response.end(whole);
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
    const waiting = `waiting: another process fetches cifar-10-binary.tar.gz into ${directory}\n`;
    expect(complaints).toEqual([waiting, waiting]);
    expect(await readdir(directory)).toEqual([FOLDER]);
    expect(await readdir(join(directory, FOLDER))).toHaveLength(6);
  }, 120_000);

  test('of which one is killed: the other takes over and goes on', async () => {
    const { asked, listener } = ranges(whole, (response, rest) => {
      if (asked.length > 1) response.end(rest);
      else response.write(rest.subarray(0, 5000));
    });
    const url = await serve(listener);
    const first = start(url);
    first.stdout.once('data', () => first.kill('SIGKILL')); // Something has arrived.
    await exitOf(first);
    expect((await readdir(directory)).sort()).toEqual(['cifar-10-binary.tar.gz.lock', PART]);
    const { size } = await stat(join(directory, PART));
    expect(size).toBeGreaterThan(0);
    expect(await exitOf(start(url))).toBe(0);
    expect(asked).toEqual([undefined, `bytes=${size}-`]);
    expect(await readdir(directory)).toEqual([FOLDER]);
  }, 120_000);
});
