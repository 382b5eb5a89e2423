import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { chromiumPath } from './helpers/browser.ts';
import { BUNDLERS } from './helpers/bundlers.ts';
import { expectBundled } from './helpers/expect-bundled.ts';
import { installPacked, pack } from './helpers/packed.ts';

const chromium = chromiumPath();
const work = mkdtempSync(join(tmpdir(), 'firelight-bundlers-'));
const consumer = join(work, 'consumer');

describe.skipIf(chromium === null)('in Chromium (skipped where there is none)', () => {
  beforeAll(async () => {
    await pack(work);
    await installPacked(work, consumer);
  }, 240_000);

  test('the packed packages run as each bundler makes them', async () => {
    await expectBundled(BUNDLERS, { chromium: chromium as string, consumer });
  });
});

afterAll(() => rmSync(work, { recursive: true, force: true }));
