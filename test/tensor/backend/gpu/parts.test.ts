import { conv2d, conv2dBranches, setBackend, type Tensor } from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../../../packages/tensor/src/backend/gpu/device/device.ts';
import type { Geometry } from '../../../../packages/tensor/src/backend/gpu/programs/geometry.ts';
import { partialCount } from '../../../../packages/tensor/src/backend/gpu/programs/weight-grad.ts';
import { evaluate, random } from '../../../helpers/evaluate.ts';
import { relativeError } from '../../../helpers/relative-error.ts';
import { WatchedDevice, webAssemblyDevice, withDevice } from './devices.ts';

// What does not fit onto a device at once.

let real: Device;
beforeAll(async () => {
  real = await webAssemblyDevice();
});
afterAll(() => setBackend('wasm'));

async function expectSame(
  run: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  device: Device,
): Promise<void> {
  await setBackend('reference');
  const expected = evaluate(run, inputs);
  const actual = await withDevice({ device, keepOnDevice: true }, () => evaluate(run, inputs));
  actual.forEach((result, i) => {
    expect(relativeError(result.data, expected[i].data)).toBeLessThan(1e-5);
  });
}

describe('a batch that is too large is computed in parts', () => {
  const inputs = [
    random([7, 5, 6, 6], 1, true),
    random([9, 5, 3, 3], 2, true),
    random([9], 3, true),
  ];
  const run = (x: Tensor, w: Tensor, b: Tensor): Tensor =>
    conv2d(x, w, b, { padding: 1, activation: 'relu' });

  test.each([
    // An image of the output has 3 quads of 36 texels; all weights take 216.
    { maxTexels: 230, parts: 4 },
    { maxTexels: 340, parts: 3 },
    { maxTexels: 756, parts: 1 },
  ])('of at most $maxTexels texels', async ({ maxTexels, parts }) => {
    const device = new WatchedDevice(real, { maxTexels });
    await expectSame(run, inputs, device);
    expect(device.runs.filter((name) => name === 'conv2d')).toHaveLength(parts);
    expect(device.live.size).toBeLessThanOrEqual(parts === 1 ? 8 : 2);
  });

  test('of a bounded number of planes', async () => {
    const device = new WatchedDevice(real, { maxPlanes: 7 });
    await expectSame(run, inputs, device);
    expect(device.runs.filter((name) => name === 'conv2d')).toHaveLength(4);
  });

  test('with branches', async () => {
    const twoBranches = (x: Tensor, a: Tensor, b: Tensor): Tensor =>
      conv2dBranches(x, [
        { weight: a, bias: null },
        { weight: b, bias: null, padding: 1 },
      ]);
    const operands = [
      random([5, 6, 5, 5], 1, true),
      random([3, 6, 1, 1], 2, true),
      random([6, 6, 3, 3], 3, true),
    ];
    const device = new WatchedDevice(real, { maxTexels: 200 });
    await expectSame(twoBranches, operands, device);
    // Two images at once, forward and backward; then x only once, and the gradient by y.
    expect(device.runs.filter((name) => name === 'pack images')).toHaveLength(3 + 6);
  });
});

test('what does not fit even alone is refused, with the limit', async () => {
  const small = new WatchedDevice(real, { maxTexels: 100 });
  const call = (x: readonly number[], w: readonly number[]): Promise<Tensor> =>
    withDevice({ device: small, keepOnDevice: true }, () => conv2d(random(x, 1), random(w, 2)));
  await expect(call([1, 1, 30, 30], [1, 1, 1, 1])).rejects.toThrow(
    'gpu: conv2d: one image of the input of shape [1, 1, 30, 30] takes 900 texels of four ' +
      'numbers, this device holds 100 in one array (gpu.js gives WebAssembly 256 MiB); ' +
      "use smaller images or fewer channels, or setBackend('wasm')",
  );
  await expect(call([1, 1, 5, 5], [40, 1, 1, 1])).rejects.toThrow(
    'one image of the output of shape [1, 40, 5, 5] takes 250 texels',
  );
  const narrow = new WatchedDevice(real, { maxPlanes: 2 });
  await expect(
    withDevice({ device: narrow, keepOnDevice: true }, () =>
      conv2d(random([1, 9, 2, 2], 1), random([1, 9, 1, 1], 2)),
    ),
  ).rejects.toThrow(
    'gpu: conv2d: one image of the input of shape [1, 9, 2, 2] has 3 planes of four channels, this ' +
      "device computes 2 at once; use fewer channels, or setBackend('wasm')",
  );
  await expect(call([1, 8, 2, 2], [8, 8, 2, 2])).resolves.toBeDefined();
  await expect(call([1, 16, 2, 2], [16, 16, 2, 2])).rejects.toThrow(
    'the weights of shape [16, 16, 2, 2] takes 256 texels',
  );
});

test('partial sums are at most as many as there are images, and fit', () => {
  const geometry = (images: number): Geometry => ({
    images,
    height: 8,
    width: 8,
    inChannels: 4,
    inQuads: 1,
    outChannels: 4,
    outQuads: 1,
    window: {
      kernelHeight: 1,
      kernelWidth: 1,
      strideHeight: 1,
      strideWidth: 1,
      dilationHeight: 1,
      dilationWidth: 1,
      padding: { top: 0, bottom: 0, left: 0, right: 0 },
      outHeight: 8,
      outWidth: 8,
      groups: 1,
    },
    gradQuads: 1,
    firstGradQuad: 0,
  });
  const unbounded = { maxTexels: 1e6, maxPlanes: 1e6 };
  expect(partialCount(geometry(7), unbounded)).toBe(7);
  expect(partialCount(geometry(1e6), unbounded)).toBe(16_384); // 65,536 threads of 4 texels
  expect(partialCount(geometry(1000), { maxTexels: 401, maxPlanes: 1e6 })).toBe(100);
  expect(partialCount(geometry(1000), { maxTexels: 1e6, maxPlanes: 50 })).toBe(50);
  expect(partialCount(geometry(1000), { maxTexels: 3, maxPlanes: 50 })).toBe(1);
});
