import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Generator } from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../helpers/run-example.ts';
import { checkpointsOf, outcomeOf, SHORT, train } from './training-process.ts';

/**
 * Trains before the tests of a file, with nothing that disturbs; what is put beside the run goes with
 * it at the end.
 *
 * @returns gives the run's folder to a test
 */
export function undisturbedRun(): () => string {
  let folder: string;
  const run = (): string => join(folder, 'whole');
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'firelight-resume-'));
    const { code, stderr } = await train([...SHORT, '--out', run()]);
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return run;
}

/** Whether a checkpoint is being written into the folder. */
const isSaving = (path: string): boolean => {
  try {
    return readdirSync(checkpointsOf(path)).some((name) => name.endsWith('.tmp'));
  } catch {
    return false; // It is not there yet.
  }
};

/**
 * A training that is killed so many times at random moments, and resumed, ends with the same bits.
 *
 * @param run of `undisturbedRun`; others are made beside it
 */
export function testKills(run: () => string, count: number): void {
  test(`a training killed ${count} times at random moments ends with the same bits`, async () => {
    const whole = run();
    const out = `${whole}-killed`;
    const delays = new Generator(Date.now()).uniform(count, { low: 0, high: 400 });
    let kills = 0;
    let killsWhileSaving = 0;
    for (let isComplete = false; !isComplete; ) {
      // Before config.json is there, nothing was begun.
      const resume = existsSync(join(out, 'config.json')) ? ['--resume'] : SHORT;
      const { code, stderr } = await train([...resume, '--threads', '1', '--out', out], {
        during: (signal, onOutput) => {
          if (kills >= count) return;
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
      isComplete = code === 0 && kills >= count;
      if (code === 0 && !isComplete) {
        // It was complete before the kill came: the next is tried on a training that begins again.
        expect(await outcomeOf(out)).toEqual(await outcomeOf(whole));
        await rm(out, { recursive: true });
      }
      kills++;
    }
    expect(killsWhileSaving).toBeGreaterThan(count / 10);
    expect(await outcomeOf(out)).toEqual(await outcomeOf(whole));
    expect((await readdir(checkpointsOf(out))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  }, 480_000);
}

/** Looks again and again for a second. */
function killWhen(condition: () => boolean, kill: () => void): void {
  const start = performance.now();
  const look = (): void => {
    if (condition()) kill();
    else if (performance.now() - start < 1000) setImmediate(look);
  };
  look();
}

/** A disk that is full at any of these writes costs nothing that was saved; `run` as for `testKills`. */
export function testFullDisk(run: () => string, writes: readonly number[]): void {
  describe('a full disk', () => {
    const preload = ['--import', join(ROOT, 'test/fixtures/processes/full-disk.mjs')];

    test.each(writes)(
      'at write %i loses nothing that was saved',
      async (at) => {
        const whole = run();
        const out = `${whole}-full-${at}`;
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
}
