import { setBackend } from '@firelight/tensor';
import { afterAll, test } from 'vitest';
import { parseSafetensors } from '../../../../helpers/parse-safetensors.ts';
import { expectGoldenTraining } from '../../../../helpers/squeezenet-golden.ts';
import { sharedFile } from './shared-file.ts';

const golden = await sharedFile('golden', 'squeezenet-5-steps.safetensors');

afterAll(() => setBackend('wasm'));

test.skipIf(golden === null)(
  'SqueezeNet follows PyTorch for five steps (skipped without ../shared/golden)',
  async () => {
    await setBackend('gpu');
    const tolerance = { gradient: 2e-5, loss: 1e-4, weight: 1e-3 };
    expectGoldenTraining(parseSafetensors(golden as Uint8Array), tolerance);
  },
);
