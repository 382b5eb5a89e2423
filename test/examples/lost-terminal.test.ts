import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { readMetricsLog } from '@firelight/nn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../helpers/run-example.ts';
import { SHORT, train } from './training-process.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-terminal-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A training as a shell runs it. */
function command(out: string): string {
  const node = `'${process.execPath}' --conditions=@firelight/source --import tsx`;
  return `${node} examples/train-cifar.ts ${SHORT.join(' ')} --out '${out}'`;
}

const inShell = (line: string) =>
  spawnSync('bash', ['-o', 'pipefail', '-c', line], { cwd: ROOT, encoding: 'utf8' });

/** A run that has come to its end, as if somebody had read what it printed. */
async function expectWhole(out: string): Promise<void> {
  const rows = await readMetricsLog(join(out, 'metrics.jsonl'));
  expect(rows.filter(({ type }) => type === 'step')).toHaveLength(12);
  expect(rows.filter(({ type }) => type === 'epoch')).toHaveLength(2);
  expect(existsSync(join(out, 'confusion.svg'))).toBe(true);
  expect(JSON.parse(await readFile(join(out, 'sessions/1.json'), 'utf8')).ended).toBe(true);
}

describe('a training goes on', () => {
  test('when the reader of its output ends, says so once, and can be resumed', async () => {
    const out = join(folder, 'head');
    const { status, stdout, stderr } = inShell(`${command(out)} | head -1`);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(
      stderr.match(/standard output cannot be written: .*EPIPE; going on without/g),
    ).toHaveLength(1);
    expect(status).toBe(0);
    await expectWhole(out);
    expect((await train(['--resume', '--threads', '1', '--out', out])).code).toBe(0);
  }, 120_000);

  test('when nobody reads standard error either', async () => {
    const out = join(folder, 'both');
    const { status } = inShell(`${command(out)} 2>&1 | head -1`);
    expect(status).toBe(0);
    await expectWhole(out);
  }, 120_000);

  test.skipIf(!existsSync('/dev/full'))(
    'when the disk under its output is full',
    async () => {
      const out = join(folder, 'full');
      const { status, stderr } = inShell(`${command(out)} > /dev/full`);
      expect(stderr).toMatch(
        /warning: standard output cannot be written: ENOSPC.*; going on without/,
      );
      expect(status).toBe(0);
      await expectWhole(out);
    },
    120_000,
  );

  test('when the terminal hangs up', async () => {
    const out = join(folder, 'hup');
    let isSent = false;
    const { code } = await train([...SHORT, '--out', out], {
      during: (signal, onOutput) =>
        onOutput((text) => {
          if (isSent || !text.includes('step 1/12')) return;
          isSent = true;
          signal('SIGHUP');
        }),
    });
    expect(isSent).toBe(true);
    expect(code).toBe(0);
    await expectWhole(out);
  }, 120_000);

  test.skipIf(!existsSync('/usr/bin/script'))(
    'when its terminal is gone',
    async () => {
      const out = join(folder, 'pty');
      const code = join(folder, 'code');
      // A shell that outlives the terminal too, to see how the training ends.
      const program = join(folder, 'program.sh');
      await writeFile(program, `trap '' HUP\n${command(out)}\necho $? > '${code}'\n`);
      const terminal = spawn('script', ['-qfec', `bash ${program}`, '/dev/null'], {
        cwd: ROOT,
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let shown = '';
      await new Promise<void>((resolve) => {
        terminal.stdout.on('data', (chunk) => {
          shown += chunk;
          if (/ 1\/12 /.test(shown)) resolve();
        });
      });
      terminal.kill('SIGKILL');
      while (!existsSync(code) || (await readFile(code, 'utf8')) === '') await setTimeout(100);
      expect(await readFile(code, 'utf8')).toBe('0\n');
      await expectWhole(out);
    },
    120_000,
  );
});

test.skipIf(!existsSync('/dev/full'))(
  'other programs end where nobody reads them',
  () => {
    const node = `'${process.execPath}' --conditions=@firelight/source --import tsx examples/predict.ts --help`;
    expect(inShell(`${node} | true`)).toMatchObject({ status: 0, stderr: '' });
    const full = inShell(`${node} > /dev/full`);
    expect(full.status).toBe(1);
    expect(full.stderr).toMatch(/^error: standard output cannot be written: ENOSPC[^\n]*\n$/);
  },
  60_000,
);
