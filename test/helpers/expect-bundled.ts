import { join } from 'node:path';
import { expect } from 'vitest';
import { type Bundler, builtPages, reportsOf } from './bundlers.ts';

const THREADS = { isolated: /([2-9]|\d\d) threads|1 thread,/, alone: /1 thread \(the page is not/ };

/** Bundles the page of `consumer` and runs it, on a page that may share memory and on one that may not. */
export async function expectBundled(
  bundlers: Readonly<Record<string, Bundler>>,
  { chromium, consumer }: { readonly chromium: string; readonly consumer: string },
): Promise<void> {
  const pages = await builtPages(bundlers, join(consumer, 'page'), join(consumer, 'bundled'));
  const isolated = await reportsOf(pages, { chromium, isolated: true });
  const alone = await reportsOf(pages, { chromium, isolated: false });
  for (const report of [...Object.values(isolated), ...Object.values(alone)]) {
    expect(report).not.toHaveProperty('error');
  }
  const [{ losses }] = Object.values(isolated);
  expect(losses).toHaveLength(8);
  expect(losses[7]).toBeLessThan(losses[0]);
  const same = {
    losses, // Any number of threads gives the same bits.
    opened: [1, -2],
    refusals: ['decodeCheckpoint', 'fromBytes'].map((instead) =>
      expect.stringMatching(
        `^ValueError: files need Node, .*; in a browser pass bytes to ${instead}`,
      ),
    ),
  };
  for (const name of Object.keys(bundlers)) {
    expect(isolated[name]).toMatchObject({
      ...same,
      backend: expect.stringMatching(THREADS.isolated),
      // The thread ran, and found no GPU.
      gpu: { problem: expect.stringContaining('no adapter'), y: 6 },
    });
    expect(alone[name]).toMatchObject({
      ...same,
      backend: expect.stringMatching(THREADS.alone),
      gpu: { problem: expect.stringContaining('not cross-origin isolated'), y: 6 },
    });
  }
}
