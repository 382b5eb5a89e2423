import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setBackend } from '@firelight/tensor';
import { afterAll, describe, test } from 'vitest';
import { expectAsTorch, type TorchCall } from '../../helpers/torch-calls.ts';

// 5,000 random calls, with their second derivatives, against the PyTorch that is installed (Debian's
// python3-torch).

const COUNT = 5000;
const script = fileURLToPath(new URL('../../fixtures/torch-calls/make.py', import.meta.url));
const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import torch']).status === 0,
);
if (python === undefined) {
  console.warn('no python3 with PyTorch: 5,000 random comparisons with it are skipped');
}

afterAll(() => setBackend('wasm'));

describe.skipIf(python === undefined)('5,000 random calls are those of PyTorch', () => {
  test('on reference in float64 and on wasm in float32', { timeout: 600_000 }, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const { stdout, stderr, status } = spawnSync(
      python as string, // Skipped without it.
      [script, String(seed), String(COUNT)],
      { encoding: 'utf8', maxBuffer: 2 ** 28 },
    );
    if (status !== 0) throw new Error(stderr);
    for (const call of JSON.parse(stdout) as readonly TorchCall[]) {
      for (const [backend, dtype] of [
        ['reference', 'float64'],
        ['wasm', 'float32'],
      ] as const) {
        await expectAsTorch(call, backend, dtype).catch((error: Error) => {
          const { op, args, inputs } = call;
          const made = JSON.stringify({ op, args, inputs });
          throw new Error(`${made} of seed ${seed} on ${backend}: ${error.message}`);
        });
      }
    }
  });
});
