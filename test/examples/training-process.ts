import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { latestCheckpoint } from '@firelight/nn';
import { ROOT } from '../helpers/run-example.ts';

/** Flags of a short training: 2 epochs of 6 steps, with dropout, batch norm and augmentation. */
export const SHORT = [
  ...['--synthetic', '--train-size', '24', '--test-size', '8', '--batch-size', '4'],
  ...['--epochs', '2', '--dropout', '0.5', '--checkpoint-every', '1', '--threads', '1'],
  ...['--version', '1.1'], // The one whose steps are cheaper.
];

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the training; `during` may end it. */
export function train(
  flags: readonly string[],
  {
    preload = [],
    env = {},
    during = () => {},
  }: {
    preload?: readonly string[];
    env?: Record<string, string>;
    during?: (
      signal: (name: NodeJS.Signals) => void,
      onOutput: (f: (text: string) => void) => void,
    ) => void;
  } = {},
): Promise<Run> {
  const node = ['--conditions=@firelight/source', '--import', 'tsx', ...preload];
  const child = spawn(process.execPath, [...node, 'examples/train-cifar.ts', ...flags], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  const listeners: ((text: string) => void)[] = [];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
    for (const listener of listeners) listener(stdout);
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  during(
    (name) => child.kill(name),
    (listener) => listeners.push(listener),
  );
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

export const checkpointsOf = (path: string): string => join(path, 'checkpoints');

/** The losses, and the bits of the weights and everything else that a checkpoint holds. */
export async function outcomeOf(path: string) {
  const log = await readFile(join(path, 'metrics.jsonl'), 'utf8');
  const last = await latestCheckpoint(checkpointsOf(path), { prefix: 'SqueezeNet' });
  const hash = createHash('sha256');
  for (const [name, tensor] of Object.entries(last?.tensors ?? {}).sort()) {
    hash.update(name).update(new Uint8Array(tensor.data.buffer));
  }
  return { log, weights: hash.digest('hex'), training: last?.metadata.training };
}
