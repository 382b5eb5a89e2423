import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Somebody whose time is taken: how to start a process that runs the workloads. */
export interface Contender {
  readonly name: string;
  command(workloads: string, names: readonly string[]): readonly string[];
  readonly folder?: string;
}

const path = (name: string): string =>
  fileURLToPath(new URL(`./contenders/${name}`, import.meta.url));

export const firelight: Contender = {
  name: 'Firelight',
  command: (_, names) => [
    process.execPath,
    '--conditions=development',
    '--import',
    'tsx',
    path('firelight.ts'),
    ...names,
  ],
};

/** Packages for Node, in versions that run on Node 20. */
const PACKAGES = [
  {
    name: 'TensorFlow.js wasm',
    script: 'tfjs.mjs',
    packages: ['@tensorflow/tfjs@4.22.0', '@tensorflow/tfjs-backend-wasm@4.22.0'],
  },
  { name: 'onnxruntime-web', script: 'onnxruntime.mjs', packages: ['onnxruntime-web@1.30.0'] },
];
/** Debian's Python, which has Debian's PyTorch; another python3 may come first on the PATH. */
export const PYTHON = '/usr/bin/python3';

function pytorch(): Contender[] {
  try {
    execFileSync(PYTHON, ['-c', 'import torch'], { stdio: 'ignore' });
  } catch {
    console.log(`PyTorch is left out: ${PYTHON} has none (apt-get install python3-torch)`);
    return [];
  }
  return ['default', 'channels_last'].map((format) => ({
    name: `PyTorch ${format}`,
    command: (workloads) => [PYTHON, path('pytorch.py'), format, workloads],
  }));
}

/** What npm has, installed where the project's own dependencies do not see it. */
function installed(): Contender[] {
  return PACKAGES.flatMap(({ name, script, packages }) => {
    const folder = join(tmpdir(), 'firelight-peers', script);
    try {
      if (!existsSync(join(folder, 'package-lock.json'))) {
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, 'package.json'), '{"private": true}');
        console.log(`installing ${packages.join(' and ')} into ${folder}`);
        const flags = ['--no-audit', '--no-fund', '--ignore-scripts'];
        execFileSync('npm', ['install', ...flags, ...packages], { cwd: folder, stdio: 'pipe' });
      }
    } catch (error) {
      console.log(`${name} is left out: ${(error as Error).message.split('\n')[0]}`);
      return [];
    }
    return [
      { name, folder, command: (workloads: string) => [process.execPath, path(script), workloads] },
    ];
  });
}

/** All others that can be had on this machine. */
export function peers(): Contender[] {
  return [...pytorch(), ...installed()];
}
