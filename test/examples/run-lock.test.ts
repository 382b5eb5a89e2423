import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { lockRun, RunInUseError } from '../../examples/support/run-lock.ts';
import { ROOT } from '../helpers/run-example.ts';
import { SHORT, train } from './training-process.ts';

let folder: string;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-lock-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const IN_USE = /the run is being trained by process \d+; wait for it, stop it with kill \d+/;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A process that tries to have the folder, and how its tries ended. */
function contender(sessions: string, tries: number) {
  const program = join(ROOT, 'test/fixtures/processes/lock-run.ts');
  const node = [
    '--conditions=@firelight/source',
    '--import',
    'tsx',
    program,
    sessions,
    String(tries),
  ];
  const child = spawn(process.execPath, node, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  let text = '';
  const outcomes = new Promise<string[]>((resolve) => {
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const lines = text.split('\n').slice(0, -1);
      if (lines.length === tries) resolve(lines);
    });
  });
  return { child, outcomes };
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const newSessions = (): string => join(folder, `sessions-${count++}`);

test('of many that start at once exactly one gets the folder, also after one was killed', async () => {
  const sessions = newSessions();
  for (let round = 0; round < 2; round++) {
    const contenders = Array.from({ length: 5 }, () => contender(sessions, 6));
    const outcomes = (await Promise.all(contenders.map((one) => one.outcomes))).flat();
    expect(outcomes.filter((outcome) => outcome === 'won')).toHaveLength(1);
    for (const outcome of outcomes) if (outcome !== 'won') expect(outcome).toMatch(IN_USE);
    // The next round finds a session whose process is gone.
    await Promise.all(contenders.map(({ child }) => killed(child)));
  }
  expect((await readdir(sessions)).sort()).toEqual(['1.json', '2.json']);
}, 120_000);

describe('a session', () => {
  /** Leaves a session behind that differs from one of this process. */
  async function leave(changes: object, { silence = 0 } = {}): Promise<string> {
    const sessions = newSessions();
    const release = await lockRun(sessions, 'the run');
    const path = join(sessions, '1.json');
    const own = JSON.parse(await readFile(path, 'utf8'));
    await release();
    await writeFile(path, JSON.stringify({ ...own, ...changes }));
    const time = new Date(Date.now() - silence);
    await utimes(path, time, time);
    return sessions;
  }
  const isFree = async (sessions: string): Promise<boolean> => {
    try {
      await (await lockRun(sessions, 'the run'))();
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(RunInUseError);
      expect((error as Error).message).toMatch(/the run (is being trained by|seems to be in use)/);
      return false;
    }
  };
  const MINUTES = 5 * 60_000;

  test('of a process that runs keeps others away, however long it was silent', async () => {
    expect(await isFree(await leave({}))).toBe(false);
    expect(await isFree(await leave({}, { silence: MINUTES }))).toBe(false);
  });

  test('is over where it ended, or its process, and another has the number', async () => {
    expect(await isFree(await leave({ ended: true }))).toBe(true);
    expect(await isFree(await leave({ pid: 4_194_304 }))).toBe(true);
    expect(await isFree(await leave({ started: '1' }))).toBe(true);
  });

  test('is over where the machine has started anew', async () => {
    expect(await isFree(await leave({ boot: 'an earlier one' }))).toBe(true);
  });

  test('of another machine, or of a container, is over when it has been silent', async () => {
    for (const elsewhere of [{ host: `not-${hostname()}` }, { namespace: 'pid:[1]' }]) {
      const pid = 4_194_304; // Numbers of other machines say nothing here.
      expect(await isFree(await leave({ ...elsewhere, pid }))).toBe(false);
      expect(await isFree(await leave({ ...elsewhere, pid }, { silence: MINUTES }))).toBe(true);
    }
    await expect(lockRun(await leave({ host: 'm\u001b[2J' }), 'the run')).rejects.toThrow(
      /is being trained by process \d+ on 'm\\u001b\[2J'/,
    );
  });

  test('that cannot be read keeps others away as long as it is new', async () => {
    for (const text of ['', 'null', '{}', '\0\0\0', '{"pid":"1","host":"x"}', '[1,']) {
      const sessions = newSessions();
      await mkdir(sessions);
      const path = join(sessions, '7.json');
      await writeFile(path, text);
      expect(await isFree(sessions)).toBe(false);
      const old = new Date(Date.now() - MINUTES);
      await utimes(path, old, old);
      expect(await isFree(sessions)).toBe(true);
      expect((await readdir(sessions)).sort()).toEqual(['7.json', '8.json']);
    }
  });
});

describe('a training', () => {
  test('keeps a second one out of its folder, until it is killed', async () => {
    const out = join(folder, 'run');
    const others: Promise<{ code: number | null; stderr: string }>[] = [];
    const first = train([...SHORT, '--out', out], {
      preload: ['--import', join(ROOT, 'test/fixtures/processes/slow-checkpoints.mjs')],
      during: (signal, onOutput) => {
        onOutput((text) => {
          if (others.length > 0 || !text.includes('step 1/12')) return;
          for (const flags of [['--resume'], SHORT]) {
            others.push(train([...flags, '--out', out]));
          }
          Promise.all(others).then(() => signal('SIGKILL'));
        });
      },
    });
    expect((await first).code).toBeNull();
    for (const { code, stderr } of await Promise.all(others)) {
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^error: .*run (is being trained by process \d+; wait for it|holds a run already)/,
      );
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
    const { code, stderr } = await train(['--resume', '--threads', '1', '--out', out]);
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
  }, 240_000);
});
