import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath } from './helpers/browser.ts';
import { BUNDLERS } from './helpers/bundlers.ts';
import { expectBundled } from './helpers/expect-bundled.ts';
import {
  installPacked,
  PACKAGES,
  pack,
  ROOT,
  readManifest,
  run,
  tarballIn,
} from './helpers/packed.ts';

// What a user gets: the packed tarballs, checked one by one, then installed together.

const timeout = 240_000;

/** The Node of npm's scripts, and npm's own, on which a user would run the packages. */
const nodes = new Set([process.execPath, process.env.npm_node_execpath ?? process.execPath]);

/** Addresses that bundlers follow: of imports, and of files beside a module. */
const ADDRESS = /(?:\bfrom |\bimport |\bimport\(|\bnew URL\()['"]([^'"]+)['"]/g;

const work = mkdtempSync(join(tmpdir(), 'firelight-package-'));
const consumer = join(work, 'consumer');

const { version, license } = readManifest(ROOT);
const tool = (name: string): string => join(ROOT, 'node_modules', '.bin', name);
const tarball = (name: string): string => tarballIn(work, name);

beforeAll(() => pack(work), timeout);

afterAll(() => rmSync(work, { recursive: true, force: true }));

describe.each(PACKAGES)('%s', (name) => {
  const folder = join(ROOT, 'packages', name);

  test('has the common version and licence', () => {
    expect(readManifest(folder)).toMatchObject({ version, license });
    expect(readFileSync(join(folder, 'LICENSE'), 'utf8')).toBe(
      readFileSync(join(ROOT, 'LICENSE'), 'utf8'),
    );
  });

  test('packs its sources, what was built from them, and nothing else', async () => {
    const listing = await run(ROOT, 'tar', '-tzf', tarball(name));
    const sources = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => file.slice(0, -'.ts'.length));
    const expected = [
      'LICENSE',
      'README.md',
      'package.json',
      ...sources.flatMap((file) => [
        `src/${file}.ts`,
        ...['.js', '.js.map', '.d.ts', '.d.ts.map'].map((suffix) => `dist/${file}${suffix}`),
      ]),
    ];
    expect(listing.trim().split('\n').sort()).toEqual(expected.map((f) => `package/${f}`).sort());
  });

  test('imports neither what only Node has nor sources', () => {
    const code = join(folder, 'dist');
    const addresses = readdirSync(code, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.js'))
      .flatMap((file) => [...readFileSync(join(code, file), 'utf8').matchAll(ADDRESS)])
      .map(([, address]) => address);
    expect(addresses.length).toBeGreaterThan(0);
    expect(addresses.filter((address) => /^node:|\.ts$/.test(address))).toEqual([]);
  });

  test('passes publint', { timeout }, async () => {
    await run(ROOT, tool('publint'), tarball(name), '--strict');
  });

  test('passes attw', { timeout }, async () => {
    await run(ROOT, tool('attw'), tarball(name), '--profile', 'esm-only');
  });
});

describe('installed together in an empty folder', () => {
  beforeAll(() => installPacked(work, consumer), timeout);

  // webpack sets the condition `development` too: the packages must not know it.
  const commands = [
    ...Array.from(nodes, (node) => [node]),
    [process.execPath, '--conditions=development'],
  ];
  test.each(commands.map((command) => [command.join(' '), command] as const))(
    'import and run under plain Node, %s',
    { timeout },
    async (_, [node, ...options]) => {
      expect(await run(consumer, node, ...options, 'consumer.mjs')).toContain('consumer ran');
    },
  );

  test.each(['node16', 'nodenext', 'bundler'])(
    'type-check with %s',
    { timeout },
    async (resolution) => {
      await run(consumer, tool('tsc'), '-p', `tsconfig.${resolution}.json`);
    },
  );

  const chromium = chromiumPath();
  // The others take longer (test/bundlers.long.test.ts); these are the ones that forgive least.
  const { 'webpack-development': webpack, esbuild } = BUNDLERS;
  test.skipIf(chromium === null)(
    'run in Chromium, bundled by webpack and esbuild',
    { timeout },
    async () => {
      await expectBundled({ webpack, esbuild }, { chromium: chromium as string, consumer });
    },
  );
});
