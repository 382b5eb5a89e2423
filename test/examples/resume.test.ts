import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Generator } from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../helpers/run-example.ts';
import { checkpointsOf, outcomeOf, SHORT, train } from './training-process.ts';

const KILLS = 20;

let folder: string;
/** A training that nothing disturbed. */
let whole: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-resume-'));
  whole = join(folder, 'whole');
  const { code, stderr } = await train([...SHORT, '--out', whole]);
  expect(stderr).not.toContain('error');
  expect(code).toBe(0);
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Whether somebody is just writing a checkpoint into the folder. */
const isSaving = (path: string): boolean => {
  try {
    return readdirSync(checkpointsOf(path)).some((name) => name.endsWith('.tmp'));
  } catch {
    return false; // It is not there yet.
  }
};

test('a training killed at random moments and resumed ends with the same bits', async () => {
  const out = join(folder, 'killed');
  const delays = new Generator(Date.now()).uniform(KILLS, { low: 0, high: 700 });
  let kills = 0;
  let killsWhileSaving = 0;
  for (let isComplete = false; !isComplete; ) {
    // Before config.json is there, nothing was begun.
    const resume = existsSync(join(out, 'config.json')) ? ['--resume'] : SHORT;
    const { code, stderr } = await train([...resume, '--threads', '1', '--out', out], {
      during: (signal, onOutput) => {
        if (kills >= KILLS) return;
        let isWaiting = false;
        const kill = (): void => {
          if (isSaving(out)) killsWhileSaving++;
          signal('SIGKILL');
        };
        onOutput((text) => {
          // From the moment when the training begins, so that each process gets somewhere.
          if (isWaiting || !text.includes('run:')) return;
          isWaiting = true;
          setTimeout(() => {
            // Every other one waits for the next moment in which a checkpoint is written.
            if (kills % 2 === 0) kill();
            else killWhen(() => isSaving(out), kill);
          }, delays[kills]);
        });
      },
    });
    expect(stderr).not.toContain('error');
    isComplete = code === 0 && kills >= KILLS;
    if (code === 0 && !isComplete) {
      // It was complete before the kill came: the next is tried on a training that begins again.
      expect(await outcomeOf(out)).toEqual(await outcomeOf(whole));
      await rm(out, { recursive: true });
    }
    kills++;
  }
  expect(killsWhileSaving).toBeGreaterThan(KILLS / 10);
  expect(await outcomeOf(out)).toEqual(await outcomeOf(whole));
  expect((await readdir(checkpointsOf(out))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
}, 240_000);

/** Looks again and again for a second. */
function killWhen(condition: () => boolean, kill: () => void): void {
  const start = performance.now();
  const look = (): void => {
    if (condition()) kill();
    else if (performance.now() - start < 1000) setImmediate(look);
  };
  look();
}

describe('a full disk', () => {
  const preload = ['--import', join(ROOT, 'test/fixtures/processes/full-disk.mjs')];

  // The configuration, the log, and then line and checkpoint of each step: all kinds of writes.
  const writes = Array.from({ length: 30 }, (_, i) => i + 1);

  test.each(writes)(
    'at write %i loses nothing that was saved',
    async (at) => {
      const out = join(folder, `full-${at}`);
      const flags = [...SHORT, '--out', out];
      const failed = await train(flags, { preload, env: { FULL_DISK_AT: String(at) } });
      expect(failed.code).toBe(1);
      expect(failed.stderr).toMatch(/^error: .*(disk is full|no space left)/m);
      expect(failed.stderr).not.toMatch(/^\s+at /m);
      const isBegun = existsSync(join(out, 'config.json'));
      const resumed = await train(isBegun ? ['--resume', '--threads', '1', '--out', out] : flags);
      expect(resumed.code).toBe(0);
      expect(resumed.stderr).not.toContain('damaged');
      expect(await outcomeOf(out)).toEqual(await outcomeOf(whole));
    },
    60_000,
  );
});

describe('Ctrl-C', () => {
  test('finishes the step, saves, and says how to go on', async () => {
    const out = join(folder, 'interrupted');
    const { code, stdout, stderr } = await train([...SHORT, '--out', out], {
      during: (signal, onOutput) => {
        let isSent = false;
        onOutput((text) => {
          if (!isSent && text.includes('step 1/12')) {
            isSent = true;
            signal('SIGINT');
          }
        });
      },
    });
    expect(code).toBe(130);
    expect(stderr).toContain('press Ctrl-C again to stop at once');
    expect(stdout).toContain(`go on with: npm run train -- --resume --out ${out}`);
    const { code: resumedCode } = await train(['--resume', '--threads', '1', '--out', out]);
    expect(resumedCode).toBe(0);
    expect(await outcomeOf(out)).toEqual(await outcomeOf(whole));
  }, 60_000);
});

test('a second Ctrl-C stops at once', async () => {
  const out = join(folder, 'stopped');
  const { code, stdout } = await train([...SHORT, '--epochs', '50', '--out', out], {
    during: (signal, onOutput) => {
      let signals = 0;
      onOutput(() => {
        if (signals++ === 0) {
          signal('SIGINT');
          setTimeout(() => signal('SIGINT'), 20);
        }
      });
    },
  });
  expect(stdout).not.toContain('go on with');
  expect([130, null]).toContain(code);
}, 60_000);

describe('--resume', () => {
  test('refuses a folder without a run, and a new run refuses one with', async () => {
    const none = await train(['--resume', '--out', join(folder, 'none')]);
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/^error: .*none holds no run to resume/);
    const again = await train([...SHORT, '--out', whole]);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/^error: .*whole holds a run already; go on with it by --resume/m);
  }, 60_000);

  test('of a complete run measures it again', async () => {
    const { code, stdout } = await train(['--resume', '--threads', '1', '--out', whole]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/test accuracy: \d/);
  }, 60_000);
});
