import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describeBackend, matmul, setBackend, setThreads, ValueError } from '@firelight/tensor';
import { expect, test } from 'vitest';
import { random } from '../../../helpers/evaluate.ts';

const run = promisify(execFile);
const idle = fileURLToPath(new URL('../../../fixtures/processes/idle.ts', import.meta.url));

test('an idle process uses no processor, and ends by itself', async () => {
  const flags = ['--conditions=@firelight/source', '--import', 'tsx', idle];
  const { stdout } = await run(process.execPath, flags, { timeout: 20_000 });
  expect(JSON.parse(stdout).busy).toBeLessThan(0.1);
}, 30_000);

test.each([0, -1, 1.5, Number.NaN])('setThreads(%s) is an error', (count) => {
  expect(() => setThreads(count)).toThrow(ValueError);
  expect(() => setThreads(count)).toThrow(/setThreads: must be an integer ≥ 1, got/);
});

test('describeBackend says how many threads there are', () => {
  setThreads(3);
  expect(describeBackend().summary).toContain('3 threads');
  setThreads(1);
  expect(describeBackend().summary).toContain('1 thread,');
  setThreads(2);
});

/** Threads of this process, those of the engine included. */
const threadCount = (): number => readdirSync('/proc/self/task').length;

test.skipIf(process.platform !== 'linux')(
  'workers that are not needed end',
  async () => {
    const started = async (count: number): Promise<number> => {
      setThreads(count);
      matmul(random([24, 40], 1), random([40, 400], 2));
      await new Promise((resolve) => setTimeout(resolve, 500));
      return threadCount();
    };
    const alone = await started(1);
    // A worker of Node has threads of its own beside it.
    expect(await started(4)).toBeGreaterThanOrEqual(alone + 3);
    expect(await started(1)).toBe(alone);
    setThreads(2);
  },
  20_000,
);

test('workers that were replaced take no part in jobs any more', async () => {
  // Small parts, so that jobs begin and end while workers come and go.
  const [a, b] = [random([24, 40], 1), random([40, 400], 2)];
  setThreads(1);
  const expected = matmul(a, b).data;
  for (let round = 0; round < 12; round++) {
    setThreads(2 + (round % 3));
    await setBackend('wasm', { wideVectors: round % 2 === 0 });
    for (let i = 0; i < 10; i++) expect(matmul(a, b).data).toEqual(expected);
    // Sometimes long enough for the workers to start, and to fall asleep.
    await new Promise((resolve) => setTimeout(resolve, (round % 4) * 80));
  }
  setThreads(2);
}, 60_000);
