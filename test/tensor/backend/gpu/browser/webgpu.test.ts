import { setBackend } from '@firelight/tensor';
import { afterAll, expect, test } from 'vitest';
import WebGpuClient from './webgpu-client.ts?worker';

// Training on WebGPU in a worker of the page, with the same synchronous operations.

const client = new WebGpuClient();
const timeout = 300_000; // A software GPU on two cores.

afterAll(() => client.terminate());

/** What the worker finds out. */
function ask(task: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client.onerror = ({ message }: ErrorEvent) => reject(new Error(message));
    client.onmessage = ({ data }: MessageEvent<{ problem?: string; result?: unknown }>) =>
      data.problem === undefined ? resolve(data.result) : reject(new Error(data.problem));
    client.postMessage(task, []);
  });
}

test(
  'the device is called what it is',
  async () => {
    expect(await ask('summary')).toMatch(
      /^gpu: gpu\.js in mode webgpu \(WebGPUKernel\) on '.*swiftshader.*' \(software\); convolutions/i,
    );
    // With two software devices the first one is taken, and says what else there was.
    expect(await ask('choice')).toMatch(
      /in mode webgl2 .*; not headlessgl: it needs Node.*; not webgpu: '.*' is software, slower/i,
    );
    expect(await ask('auto')).toMatch(
      /^wasm: .*; not 'gpu': .*webgpu: '.*swiftshader.*' is software, slower than 'wasm'/i,
    );
  },
  timeout,
);

test.each([
  ['for random windows', 'convolutions'],
  ['for branches', 'branches'],
  ['for larger shapes', 'large'],
])(
  'convolutions equal the reference %s',
  async (_, task) => {
    await ask(task); // It throws where they differ.
  },
  timeout,
);

test(
  'a small network learns as on wasm',
  async () => {
    const { wasm, webgpu } = (await ask('losses')) as Record<'wasm' | 'webgpu', number[]>;
    webgpu.forEach((loss, i) => {
      expect(Math.abs(loss - wasm[i])).toBeLessThan(1e-3);
    });
    expect(webgpu).toHaveLength(30);
  },
  timeout,
);

test('the main thread of the page is told to use a worker', async () => {
  await expect(setBackend('gpu', { mode: 'webgpu' })).rejects.toThrow(
    'webgpu: the main thread of a page may not wait for it: train in a worker',
  );
});
