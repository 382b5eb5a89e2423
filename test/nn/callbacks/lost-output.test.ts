import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../helpers/run-example.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-output-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the program with its output led away by the shell. */
function run(out: string, redirection: string) {
  const program = join(ROOT, 'test/fixtures/processes/train-with-bar.ts');
  const node = `'${process.execPath}' --conditions=@firelight/source --import tsx '${program}' '${out}'`;
  return spawnSync('bash', ['-o', 'pipefail', '-c', `${node} ${redirection}`], {
    cwd: ROOT,
    encoding: 'utf8',
  });
}

test('what prints outlives the reader of standard output', async () => {
  const out = join(folder, 'reader');
  const { status, stdout, stderr } = run(out, '| head -1');
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toHaveLength(1);
  expect(status).toBe(0);
  expect(await readFile(out, 'utf8')).toBe('20');
});

test.skipIf(!existsSync('/dev/full'))('and a full disk under it', async () => {
  const out = join(folder, 'full');
  const { status, stderr } = run(out, '> /dev/full');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(await readFile(out, 'utf8')).toBe('20');
});
