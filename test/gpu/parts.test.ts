import { conv2d, conv2dBranches, setBackend, type Tensor } from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../packages/tensor/src/backend/gpu/device.ts';
import { evaluate, random } from '../helpers/evaluate.ts';
import { relativeError } from '../helpers/relative-error.ts';
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
    await expectSame(twoBranches, operands, new WatchedDevice(real, { maxTexels: 200 }));
  });
});

test('what does not fit even alone is refused, with the limit', async () => {
  const small = new WatchedDevice(real, { maxTexels: 100 });
  const call = (x: readonly number[], w: readonly number[]): Promise<Tensor> =>
    withDevice({ device: small, keepOnDevice: true }, () => conv2d(random(x, 1), random(w, 2)));
  await expect(call([1, 1, 30, 30], [1, 1, 1, 1])).rejects.toThrow(
    'gpu: conv2d: one image of the input of shape [1, 1, 30, 30] takes 900 texels of four ' +
      'numbers, this device holds 100 in one array (indices in a kernel are exact up to 2^24); ' +
      "use smaller images or fewer channels, or setBackend('wasm')",
  );
  await expect(call([1, 1, 5, 5], [40, 1, 1, 1])).rejects.toThrow(
    'one image of the output of shape [1, 40, 5, 5] takes 250 texels',
  );
  await expect(call([1, 8, 2, 2], [8, 8, 2, 2])).resolves.toBeDefined();
  await expect(call([1, 16, 2, 2], [16, 16, 2, 2])).rejects.toThrow(
    'the weights of shape [16, 16, 2, 2] takes 256 texels',
  );
});
