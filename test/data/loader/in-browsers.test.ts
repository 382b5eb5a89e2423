import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { bundle, chromiumPath, reportOf } from '../../helpers/browser.ts';
import { encodePng } from '../../helpers/png.ts';

const chromium = chromiumPath();
const entry = fileURLToPath(new URL('../../fixtures/browser/load.ts', import.meta.url));

interface PageReport {
  readonly none: number[][];
  readonly two: number[][];
  readonly refusal: string;
  readonly picture: number[];
  readonly loops: number;
}

const pixels = Uint8Array.from({ length: 4 * 3 * 3 }, (_, i) => 5 * i);
const picture = encodePng({ width: 4, height: 3, data: pixels });

describe.skipIf(chromium === null)('in Chromium (skipped where there is none)', () => {
  // With shared memory, and with memory that is transferred back and forth.
  test.each([true, false])(
    'worker threads make the same batches as the page itself, which also decodes pictures and ' +
      'gives timers their turn, with isolated: %s',
    async (isolated) => {
      const files = new Map(await bundle(entry));
      files.set('/picture.txt', Buffer.from(picture).toString('base64'));
      const report = await reportOf(files, { chromium: chromium as string, isolated });
      expect(report).not.toHaveProperty('error');
      const { none, two, refusal, picture: decoded, loops } = report as PageReport;
      expect(none.map((batch) => batch.length)).toEqual([10, 10, 7]);
      expect(two).toEqual(none);
      expect(decoded).toEqual(Array.from(pixels));
      expect(loops).toBeGreaterThan(0);
      expect(refusal).toMatch(/in a browser, workers need the option createWorker/);
    },
    120_000,
  );
});
