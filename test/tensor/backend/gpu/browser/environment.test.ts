import { expect, test } from 'vitest';
import { sharedFile } from './shared-file.ts';

const golden = await sharedFile('golden', 'squeezenet-5-steps.safetensors');

test('the page may share memory between threads', () => {
  expect(crossOriginIsolated).toBe(true);
  expect(new SharedArrayBuffer(8).byteLength).toBe(8);
});

test('WebGL2 renders to textures of floats', () => {
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2');
  expect(gl?.getExtension('EXT_color_buffer_float')).toBeTruthy();
});

test('WebGPU has an adapter', async () => {
  expect(await navigator.gpu.requestAdapter()).not.toBeNull();
});

test('gpu.js adds on WebGL2', async () => {
  const { GPU, WebGL2Kernel } = await import('gpu.js');
  const gpu = new GPU({ mode: 'webgl2' });
  const add = gpu.createKernel('function (a, b) { return a[this.thread.x] + b[this.thread.x]; }', {
    output: [3],
    precision: 'single',
  });
  expect(add([1, 2, 3], [0.5, 0.25, 0.125])).toEqual(Float32Array.of(1.5, 2.25, 3.125));
  // Where there is no GPU, gpu.js quietly takes another kind of kernel.
  expect(add.kernel.constructor).toBe(WebGL2Kernel);
  await gpu.destroy();
});

test.skipIf(golden === null)(
  'a golden file arrives whole (skipped without ../shared/golden)',
  () => {
    const bytes = golden as Uint8Array;
    const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = new TextDecoder().decode(bytes.subarray(8, 8 + headerLength));
    const { __metadata__, ...entries } = JSON.parse(header);
    const ends = Object.values(entries as Record<string, { data_offsets: [number, number] }>).map(
      ({ data_offsets: [, end] }) => end,
    );
    expect(bytes.length).toBe(8 + headerLength + Math.max(...ends));
  },
);

test('a file that is not there is null', async () => {
  expect(await sharedFile('golden', 'nothing.bin')).toBeNull();
});
