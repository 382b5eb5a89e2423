import { setBackend } from '@firelight/tensor';
import { afterAll, test } from 'vitest';
import { readSafetensors } from '../../helpers/safetensors.ts';
import { sharedPath } from '../../helpers/shared.ts';
import { expectGoldenTraining } from '../../helpers/squeezenet-golden.ts';

const path = sharedPath('golden', 'squeezenet-5-steps.safetensors');

afterAll(() => setBackend('wasm'));

test.skipIf(path === null)(
  'five steps of Momentum on reference follow PyTorch (skipped without ../shared/golden)',
  async () => {
    await setBackend('reference');
    const tolerance = { gradient: 1e-5, loss: 1e-5, weight: 1e-5 };
    expectGoldenTraining(readSafetensors(path as string), tolerance);
  },
);
