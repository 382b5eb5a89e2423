import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Contender } from './measure.ts';
import { checkSameLayers } from './same-layers.ts';
import { WORKLOADS, type Workload } from './workloads.ts';

const path = (name: string): string =>
  fileURLToPath(new URL(`./contenders/${name}`, import.meta.url));

export const firelight: Contender = {
  name: 'Firelight',
  command: (workloads) => [
    process.execPath,
    '--conditions=development',
    '--import',
    'tsx',
    path('firelight.ts'),
    workloads,
  ],
};

interface Installed {
  readonly name: string;
  readonly packages: readonly string[];
  /** The script that runs the workloads, and its arguments before them. */
  readonly script: readonly [file: string, ...args: string[]];
}

/** Packages for Node that only infer, in versions that run on Node 20 and 24. */
const PACKAGES: readonly Installed[] = [
  {
    name: 'TensorFlow.js wasm',
    packages: ['@tensorflow/tfjs@4.22.0', '@tensorflow/tfjs-backend-wasm@4.22.0'],
    script: ['tfjs.mjs'],
  },
  {
    name: 'onnxruntime-web',
    packages: ['onnxruntime-web@1.30.0'],
    script: ['onnxruntime.mjs', 'onnxruntime-web'],
  },
  {
    name: 'onnxruntime-node (native)',
    packages: ['onnxruntime-node@1.30.0'],
    script: ['onnxruntime.mjs', 'onnxruntime-node'],
  },
];

/** Debian's Python, which has Debian's PyTorch; another python3 may come first on the PATH. */
export const PYTHON = '/usr/bin/python3';

/** @throws Error if it builds other networks than Firelight */
function pytorch(): Contender[] {
  try {
    execFileSync(PYTHON, ['-c', 'import torch'], { stdio: 'ignore' });
  } catch {
    console.log(`PyTorch is left out: ${PYTHON} has none (apt-get install python3-torch)`);
    return [];
  }
  const command = (format: string, workloads: string) => [
    PYTHON,
    path('pytorch.py'),
    format,
    workloads,
  ];
  checkSameLayers('PyTorch', (workloads) => command('layers', workloads), WORKLOADS);
  return ['default', 'channels_last'].map((format) => ({
    name: `PyTorch ${format}`,
    command: (workloads) => command(format, workloads),
  }));
}

/** What npm has, installed where the project's own dependencies do not see it. */
function installed(): Contender[] {
  return PACKAGES.flatMap(({ name, packages, script: [file, ...args] }) => {
    const folder = join(tmpdir(), 'firelight-peers', packages.join('+').replaceAll('/', '-'));
    try {
      if (!existsSync(join(folder, 'package-lock.json'))) {
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, 'package.json'), '{"private": true}');
        console.log(`installing ${packages.join(' and ')} into ${folder}`);
        const flags = ['--no-audit', '--no-fund', '--ignore-scripts'];
        // So that onnxruntime-node does not fetch its parts for GPUs, should scripts run after all.
        const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
        execFileSync('npm', ['install', ...flags, ...packages], {
          cwd: folder,
          env,
          stdio: 'pipe',
        });
      }
    } catch (error) {
      console.log(`${name} is left out: ${(error as Error).message.split('\n')[0]}`);
      return [];
    }
    const command = (workloads: string) => [process.execPath, path(file), ...args, workloads];
    const can = ({ kind }: Workload): boolean => kind === 'infer';
    return [{ name, folder, command, can }];
  });
}

/**
 * All others that can be had on this machine.
 *
 * @throws Error if one of them would time other networks
 */
export function peers(): Contender[] {
  return [...pytorch(), ...installed()];
}
