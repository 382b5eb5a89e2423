import { setBackend } from '@firelight/tensor';
import { afterAll, describe, test } from 'vitest';
import { readSafetensors } from '../../helpers/safetensors.ts';
import { sharedPath } from '../../helpers/shared.ts';
import { expectGoldenTraining } from '../../helpers/squeezenet-golden.ts';

const path = sharedPath('golden', 'squeezenet-5-steps.safetensors');

/**
 * Backends, how many steps they take (plain loops are slow, and take all five in the long test), and
 * how far they may be from PyTorch. Winograd's first gradients are as good as those of plain sums, but
 * their last bits decide a max-pool between two nearly equal pixels otherwise, and from there on the
 * losses part (as they do on any backend when the images change by a millionth).
 */
const BACKENDS = [
  { name: 'reference', options: {}, steps: 2, gradient: 1e-5, loss: 1e-5, weight: 1e-5 },
  {
    name: 'wasm',
    options: { winograd: false },
    steps: 5,
    gradient: 2e-5,
    loss: 1e-5,
    weight: 2e-5,
  },
  { name: 'wasm', options: { winograd: true }, steps: 5, gradient: 2e-5, loss: 2e-2, weight: 5e-2 },
];

afterAll(() => setBackend('wasm'));

describe.each(BACKENDS)('on $name with $options', ({ name: backend, options, ...expectation }) => {
  test.skipIf(path === null)(
    `${expectation.steps} steps of Momentum follow PyTorch (skipped without ../shared/golden)`,
    async () => {
      await setBackend(backend, options);
      expectGoldenTraining(readSafetensors(path as string), expectation);
    },
    120_000,
  );
});
