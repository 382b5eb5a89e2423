import { setBackend } from '@firelight/tensor';
import { afterAll, describe, test } from 'vitest';
import { checkBranches, checkConvolutions, checkLargeConvolutions } from './parity.ts';

// The kernels themselves, in the modes of gpu.js that run everywhere. Real devices: browser/ and
// headless-gl/.

afterAll(() => setBackend('wasm'));

describe.each(['webasm', 'cpu'] as const)('gpu.js in mode %s equals the reference', (mode) => {
  test('for random windows', () => checkConvolutions({ mode }, { numRuns: 40 }), 120_000);

  test('for branches', () => checkBranches({ mode }, { numRuns: 20 }), 120_000);

  test('for larger shapes', () => checkLargeConvolutions({ mode }), 120_000);

  test(
    'when results are read at once',
    () => checkConvolutions({ mode, keepOnDevice: false }, { numRuns: 10 }),
    120_000,
  );
});
