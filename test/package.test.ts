import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// What a user gets: the packed tarballs, checked one by one, then installed together.

const root = join(import.meta.dirname, '..');
const packages = ['tensor', 'nn', 'data'];
const timeout = 240_000;

/** The Node of npm's scripts, and npm's own, on which a user would run the packages. */
const nodes = new Set([process.execPath, process.env.npm_node_execpath ?? process.execPath]);

const work = mkdtempSync(join(tmpdir(), 'firelight-package-'));
const consumer = join(work, 'consumer');

/** Runs a command and returns its output; a failure carries all that was printed. */
async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { cwd })).stdout;
  } catch (error) {
    const { message, stdout } = error as Error & { stdout: string };
    throw new Error(`${message}\n${stdout}`);
  }
}

function readManifest(folder: string): { version: string; license: string } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

const { version, license } = readManifest(root);
const tool = (name: string): string => join(root, 'node_modules', '.bin', name);
const tarball = (name: string): string => join(work, `firelight-${name}-${version}.tgz`);

beforeAll(async () => {
  // From scratch: the compiler leaves the output of deleted sources in place.
  for (const name of packages) {
    rmSync(join(root, 'packages', name, 'dist'), { recursive: true, force: true });
  }
  await run(root, 'npm', 'run', 'build');
  const workspaces = packages.flatMap((name) => ['--workspace', `packages/${name}`]);
  await run(root, 'npm', 'pack', ...workspaces, '--pack-destination', work);
}, timeout);

afterAll(() => rmSync(work, { recursive: true, force: true }));

describe.each(packages)('%s', (name) => {
  const folder = join(root, 'packages', name);

  test('has the common version and licence', () => {
    expect(readManifest(folder)).toMatchObject({ version, license });
    expect(readFileSync(join(folder, 'LICENSE'), 'utf8')).toBe(
      readFileSync(join(root, 'LICENSE'), 'utf8'),
    );
  });

  test('packs its sources, what was built from them, and nothing else', async () => {
    const listing = await run(root, 'tar', '-tzf', tarball(name));
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

  test('passes publint', { timeout }, async () => {
    await run(root, tool('publint'), tarball(name), '--strict');
  });

  test('passes attw', { timeout }, async () => {
    await run(root, tool('attw'), tarball(name), '--profile', 'esm-only');
  });
});

describe('installed together in an empty folder', () => {
  beforeAll(async () => {
    cpSync(join(root, 'test/fixtures/consumer'), consumer, { recursive: true });
    writeFileSync(join(consumer, 'package.json'), '{ "private": true, "type": "module" }\n');
    // Without optional packages, such as gpu.js's native gl.
    const flags = ['--prefer-offline', '--omit=optional', '--no-audit', '--no-fund'];
    await run(consumer, 'npm', 'install', ...flags, ...packages.map(tarball));
  }, timeout);

  test.each([...nodes])('import and run under plain Node, %s', { timeout }, async (node) => {
    expect(await run(consumer, node, 'consumer.mjs')).toContain('consumer ran');
  });

  test.each(['nodenext', 'bundler'])('type-check with %s', { timeout }, async (resolution) => {
    await run(consumer, tool('tsc'), '-p', `tsconfig.${resolution}.json`);
  });
});
