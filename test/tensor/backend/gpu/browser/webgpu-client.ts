// A worker of the page that computes on WebGPU: unlike the page's main thread it may wait. What it
// finds it posts as text.
import { describeBackend, setBackend } from '@firelight/tensor';
import GpuWorker from '@firelight/tensor/webgpu-worker?worker';
import { checkBranches, checkLargeConvolutions, checkRandomConvolutions } from '../parity.ts';
import { trainSmall } from '../small-training.ts';

const options = { mode: 'webgpu', createWorker: () => new GpuWorker() } as const;

const tasks: Readonly<Record<string, () => Promise<unknown>>> = {
  async summary() {
    await setBackend('gpu', options);
    return describeBackend().summary;
  },
  async choice() {
    await setBackend('gpu', { createWorker: options.createWorker });
    return describeBackend().summary;
  },
  async auto() {
    await setBackend('auto', options);
    return describeBackend().summary;
  },
  convolutions: () => checkRandomConvolutions(options, { numRuns: 12 }),
  branches: () => checkBranches(options, { numRuns: 6 }),
  large: () => checkLargeConvolutions(options),
  async losses() {
    await setBackend('wasm');
    const wasm = await trainSmall({ steps: 30 });
    await setBackend('gpu', options);
    return { wasm, webgpu: await trainSmall({ steps: 30 }) };
  },
};

addEventListener('message', async ({ data }: MessageEvent<string>) => {
  try {
    postMessage({ result: (await tasks[data]()) ?? null });
  } catch (error) {
    postMessage({ problem: (error as Error).message });
  }
});
