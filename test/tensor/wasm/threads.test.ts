import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describeBackend, setThreads, ValueError } from '@firelight/tensor';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const idle = fileURLToPath(new URL('../../fixtures/processes/idle.ts', import.meta.url));

test('an idle process uses no processor, and ends by itself', async () => {
  const flags = ['--conditions=development', '--import', 'tsx', idle];
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
