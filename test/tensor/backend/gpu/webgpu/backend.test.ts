import { readFileSync } from 'node:fs';
import { describeBackend, setBackend } from '@firelight/tensor';
import { beforeAll, expect, test } from 'vitest';
import { parseSafetensors } from '../../../../helpers/parse-safetensors.ts';
import { runSource } from '../../../../helpers/run-example.ts';
import { sharedPath } from '../../../../helpers/shared.ts';
import { expectGoldenTraining } from '../../../../helpers/squeezenet-golden.ts';
import { describeDevice } from '../device-suite.ts';

const timeout = 300_000; // A software GPU on two cores.
const webgpuModule = process.env.FIRELIGHT_WEBGPU as string; // test/tensor/backend/gpu/webgpu.sh sets it.
const options = { mode: 'webgpu', webgpuModule } as const;
const golden = sharedPath('golden', 'squeezenet-5-steps.safetensors');

beforeAll(() => setBackend('gpu', options));

test('the adapter is called what it is', () => {
  expect(describeBackend().summary).toMatch(
    /^gpu: gpu\.js in mode webgpu \(WebGPUKernel\) on '.+' \((hardware|software)\)/,
  );
});

test('auto takes it if it is a GPU', async () => {
  const isHardware = describeBackend().summary.includes('(hardware)');
  await setBackend('auto', options);
  expect(describeBackend().name).toBe(isHardware ? 'gpu' : 'wasm');
  await setBackend('gpu', options);
});

describeDevice(options, { numRuns: 40, timeout });

test.skipIf(golden === null)(
  'SqueezeNet follows PyTorch for five steps (skipped without ../shared/golden)',
  async () => {
    await setBackend('gpu', options);
    const tolerance = { gradient: 2e-5, loss: 1e-4, weight: 1e-3 };
    expectGoldenTraining(parseSafetensors(readFileSync(golden as string)), tolerance);
  },
  timeout,
);

test(
  '500 training steps do not make the process larger',
  async () => {
    const { stdout } = await runSource('test/fixtures/processes/webgpu-memory.ts');
    const sizes = stdout.trim().split('\n').map(Number);
    expect(sizes).toHaveLength(5);
    // A lost array of the first layer in each step would be 90 MB in the end.
    expect(sizes[4] - sizes[1]).toBeLessThan(40);
  },
  timeout,
);

test(
  'a process that trains on it ends by itself, at once',
  async () => {
    const { code, stderr } = await runSource('test/fixtures/processes/webgpu.ts');
    expect(stderr).toBe('');
    expect(code).toBe(0);
  },
  timeout,
);
