import { describeBackend, setBackend } from '@firelight/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseSafetensors } from '../../../../helpers/parse-safetensors.ts';
import { expectGoldenTraining } from '../../../../helpers/squeezenet-golden.ts';
import { describeDevice } from '../device-suite.ts';
import { sharedFile } from './shared-file.ts';

const golden = await sharedFile('golden', 'squeezenet-5-steps.safetensors');
const timeout = 300_000; // A software GPU on two cores.

beforeAll(() => setBackend('gpu'), timeout);
afterAll(() => setBackend('wasm'));

test('WebGL2 is what a browser takes, and is called what it is', async () => {
  const { name, summary, kernels } = describeBackend();
  expect(name).toBe('gpu');
  expect(summary).toMatch(
    /^gpu: gpu\.js in mode webgl2 \(WebGL2Kernel\) on '.*SwiftShader.*' \(software\); convolutions/,
  );
  expect(kernels.conv2dGrad).toMatchObject({ backend: 'gpu', reason: null });
});

test('auto does not take a software GPU', async () => {
  await setBackend('auto');
  const { name, summary } = describeBackend();
  expect(name).toBe('wasm');
  expect(summary).toMatch(/not 'gpu': webgl2: '.*SwiftShader.*' is software, slower than 'wasm'/);
  expect(summary).toContain('headlessgl: it needs Node');
  expect(summary).toContain('webgpu: the main thread of a page may not wait for it');
  await setBackend('gpu');
});

describeDevice({ mode: 'webgl2' }, { numRuns: 16, timeout });

test.skipIf(golden === null)(
  'SqueezeNet follows PyTorch for two steps (skipped without ../shared/golden)',
  async () => {
    await setBackend('gpu');
    const tolerance = { gradient: 2e-5, loss: 1e-4, weight: 1e-3 };
    expectGoldenTraining(parseSafetensors(golden as Uint8Array), { steps: 2, ...tolerance });
  },
  timeout,
);
