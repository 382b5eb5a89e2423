import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { trainSteps } from '../../../fixtures/browser/train.ts';
import { bundle, chromiumPath, reportOf } from '../../../helpers/browser.ts';

const chromium = chromiumPath();
const entry = fileURLToPath(new URL('../../../fixtures/browser/train.ts', import.meta.url));

describe.skipIf(chromium === null)('in Chromium (skipped where there is none)', () => {
  test.each([
    { isolated: true, threads: /[2-9] threads|1\d threads|1 thread,/ },
    { isolated: false, threads: /1 thread \(the page is not cross-origin isolated/ },
  ])(
    'a bundled page trains as Node does, with isolated: $isolated',
    async ({ isolated, threads }) => {
      const code = await bundle(entry);
      const report = await reportOf(code, { chromium: chromium as string, isolated });
      const { losses, backend } = report as ReturnType<typeof trainSteps>;
      expect(report).not.toHaveProperty('error');
      expect(backend).toMatch(threads);
      const expected = trainSteps();
      losses.forEach((loss, i) => {
        expect(Math.abs(loss - expected.losses[i])).toBeLessThan(1e-3);
      });
      expect(losses[3]).toBeLessThan(losses[0]);
    },
    60_000,
  );
});
