import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { testFullDisk, testKills } from './disturbances.ts';
import { SHORT, train } from './training-process.ts';

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

testKills(() => whole, 20);

testFullDisk(
  () => whole,
  Array.from({ length: 30 }, (_, i) => i + 1),
);
