import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testFullDisk, testKills } from './disturbances.ts';
import { outcomeOf, SHORT, train } from './training-process.ts';

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

testKills(() => whole, 6);

// The lock, the configuration, the log, and then line and checkpoint of a step: all kinds of writes.
testFullDisk(() => whole, [1, 2, 4, 7]);

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
