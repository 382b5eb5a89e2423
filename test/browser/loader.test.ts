import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { bundle, chromiumPath, reportOf } from '../helpers/browser.ts';

const chromium = chromiumPath();
const entry = fileURLToPath(new URL('../fixtures/browser/load.ts', import.meta.url));

interface Report {
  readonly none: number[][];
  readonly two: number[][];
  readonly refusal: string;
}

describe.skipIf(chromium === null)('in Chromium (skipped where there is none)', () => {
  // With shared memory, and with memory that is handed to and fro.
  test.each([true, false])(
    'worker threads make the same batches as the page itself, with isolated: %s',
    async (isolated) => {
      const files = await bundle(entry);
      const report = await reportOf(files, { chromium: chromium as string, isolated });
      expect(report).not.toHaveProperty('error');
      const { none, two, refusal } = report as Report;
      expect(none.map((batch) => batch.length)).toEqual([10, 10, 7]);
      expect(two).toEqual(none);
      expect(refusal).toMatch(/in a browser, workers need the option createWorker/);
    },
    60_000,
  );
});
