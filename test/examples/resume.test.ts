import { describe, expect, test } from 'vitest';
import { testFullDisk, testKills, undisturbedRun } from './disturbances.ts';
import { outcomeOf, SHORT, train } from './training-process.ts';

const run = undisturbedRun();

testKills(run, 6);

// The lock, the configuration, the log, and then line and checkpoint of a step: all kinds of writes.
testFullDisk(run, [1, 2, 4, 7]);

describe('Ctrl-C', () => {
  test('finishes the step, saves, and says how to go on', async () => {
    const out = `${run()}-interrupted`;
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
    expect(await outcomeOf(out)).toEqual(await outcomeOf(run()));
  }, 60_000);
});

test('a second Ctrl-C stops at once', async () => {
  const out = `${run()}-stopped`;
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
    const none = await train(['--resume', '--out', `${run()}-none`]);
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/^error: .*none holds no run to resume/);
    const again = await train([...SHORT, '--out', run()]);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/^error: .*whole holds a run already; go on with it by --resume/m);
  }, 60_000);

  test('of a complete run measures it again', async () => {
    const { code, stdout } = await train(['--resume', '--threads', '1', '--out', run()]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/test accuracy: \d/);
  }, 60_000);
});
