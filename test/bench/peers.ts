import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Contender } from './measure.ts';
import { checkSameLayers } from './same-layers.ts';
import { type Product, WORKLOADS, type Workload } from './workloads.ts';

const path = (name: string): string =>
  fileURLToPath(new URL(`./contenders/${name}`, import.meta.url));

export const firelight: Contender<Workload | Product> = {
  name: 'Firelight',
  command: (works) => [
    process.execPath,
    '--conditions=@firelight/source',
    '--import',
    'tsx',
    path('firelight.ts'),
    works,
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

/** Debian's Python, which has Debian's PyTorch and numpy; another may come first on the PATH. */
export const PYTHON = '/usr/bin/python3';

/** @throws Error if it builds other networks than Firelight */
function pytorch(): Contender[] {
  try {
    execFileSync(PYTHON, ['-c', 'import torch'], { stdio: 'ignore' });
  } catch {
    console.log(`PyTorch is left out: ${PYTHON} has none (apt-get install python3-torch)`);
    return [];
  }
  const command = (format: string, works: string) => [PYTHON, path('pytorch.py'), format, works];
  checkSameLayers('PyTorch', (works) => command('layers', works), WORKLOADS);
  return ['default', 'channels_last'].map((format) => ({
    name: `PyTorch ${format}`,
    command: (works) => command(format, works),
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
    const command = (works: string) => [process.execPath, path(file), ...args, works];
    const can = ({ kind }: Workload): boolean => kind === 'infer';
    return [{ name, folder, command, can }];
  });
}

/**
 * All others that are on this machine.
 *
 * @throws Error if one of them would time other networks
 */
export function peers(): Contender[] {
  return [...pytorch(), ...installed()];
}

/** Numpy on OpenBLAS, for products; null, after saying why, where it is missing. */
export function openBlas(): Contender<Product> | null {
  const script = path('openblas.py');
  const remedy = 'apt-get install python3-numpy libopenblas0-pthread';
  try {
    const name = execFileSync(PYTHON, [script, 'name'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return { name: name.trim(), command: (works) => [PYTHON, script, works] };
  } catch (error) {
    const { stdout = '' } = error as { stdout?: string };
    const reason = stdout.trim() || `${PYTHON} has no numpy`;
    console.log(`OpenBLAS is left out: ${reason} (${remedy})`);
    return null;
  }
}
