import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const ROOT = join(import.meta.dirname, '../..');
export const PACKAGES = ['tensor', 'nn', 'data'];

/** Runs a command and returns its output; a failure carries all that was printed. */
export async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { cwd })).stdout;
  } catch (error) {
    const { message, stdout } = error as Error & { stdout: string };
    throw new Error(`${message}\n${stdout}`);
  }
}

interface Manifest {
  readonly version: string;
  readonly license: string;
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Where `pack` puts a package. */
export function tarballIn(folder: string, name: string): string {
  return join(folder, `firelight-${name}-${readManifest(ROOT).version}.tgz`);
}

/** Builds the packages and packs them into `folder`, as they would be published. */
export async function pack(folder: string): Promise<void> {
  // From scratch: the compiler leaves the output of deleted sources in place.
  for (const name of PACKAGES) {
    rmSync(join(ROOT, 'packages', name, 'dist'), { recursive: true, force: true });
  }
  await run(ROOT, 'npm', 'run', 'build');
  const workspaces = PACKAGES.flatMap((name) => ['--workspace', `packages/${name}`]);
  await run(ROOT, 'npm', 'pack', ...workspaces, '--pack-destination', folder);
}

/** Makes the new folder `consumer` with a user's programs, and installs what was packed into `folder`. */
export async function installPacked(folder: string, consumer: string): Promise<void> {
  mkdirSync(consumer);
  cpSync(join(ROOT, 'test/fixtures/consumer'), consumer, { recursive: true });
  writeFileSync(join(consumer, 'package.json'), '{ "private": true, "type": "module" }\n');
  // Without optional packages, such as gpu.js's native gl.
  const flags = ['--prefer-offline', '--omit=optional', '--no-audit', '--no-fund'];
  const tarballs = PACKAGES.map((name) => tarballIn(folder, name));
  await run(consumer, 'npm', 'install', ...flags, ...tarballs);
}
