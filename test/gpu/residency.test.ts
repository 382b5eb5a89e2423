import { Momentum } from '@firelight/nn';
import {
  add,
  assign,
  conv2d,
  Generator,
  maxPool2d,
  mean,
  randn,
  relu,
  setBackend,
  type Tensor,
  tidy,
} from '@firelight/tensor';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Device } from '../../packages/tensor/src/backend/gpu/device.ts';
import { texelCount } from '../../packages/tensor/src/backend/gpu/programs/program.ts';
import { relativeError } from '../helpers/relative-error.ts';
import { WatchedDevice, webAssemblyDevice, withDevice } from './devices.ts';

// What stays on a device, and when it is brought up to date.

/** A tensor whose elements nobody else holds. */
function random(shape: readonly number[], seed: number, requiresGrad = false): Tensor {
  return randn(shape, { generator: new Generator(seed), requiresGrad });
}

let device: WatchedDevice;
beforeEach(async () => {
  device = new WatchedDevice(await webAssemblyDevice());
});
afterAll(() => setBackend('wasm'));

const onDevice = <Result>(body: () => Result): Promise<Result> =>
  withDevice({ device, keepOnDevice: true }, body);

const count = (name: string): number => device.runs.filter((run) => run === name).length;

describe('neighbouring convolutions', () => {
  const x = random([2, 3, 8, 8], 1);
  const first = random([5, 3, 3, 3], 2, true);
  const second = random([4, 5, 1, 1], 3, true);
  const step = (): Tensor =>
    mean(conv2d(conv2d(x, first, null, { activation: 'relu' }), second, null));

  test('hand results on without reading them', async () => {
    await onDevice(() =>
      tidy(() => {
        const y = conv2d(conv2d(x, first, null, { activation: 'relu' }), second, null);
        expect(device.reads).toBe(0);
        expect(count('pack images')).toBe(1);
        y.toArray();
        y.toArray();
        expect(device.reads).toBe(1);
      }),
    );
  });

  test('do so in backward too, and pack every weight once', async () => {
    await onDevice(() =>
      tidy(() => {
        step().backward();
        expect(count('pack images')).toBe(2); // x and the gradient by the output
        expect(count('pack weights')).toBe(2);
        expect(device.reads).toBe(1); // the output, for the mean
      }),
    );
    expect(first.grad?.data.some((value) => value !== 0)).toBe(true);
    first.grad = null;
    second.grad = null;
  });

  test('give everything back with the scope, but what was made outside', async () => {
    await onDevice(() => {
      tidy(() => void step());
      expect(device.live.size).toBe(3); // x and the weights
    });
  });

  test('are read at once where keepOnDevice is false', async () => {
    await withDevice({ device, keepOnDevice: false }, () =>
      tidy(() => {
        conv2d(conv2d(x, first, null), second, null);
        expect(device.reads).toBe(2);
        expect(device.live.size).toBe(0);
      }),
    );
  });
});

describe('a copy on the device is never out of date', () => {
  const x = random([1, 2, 4, 4], 1);

  /** What `change` does to the weight, seen by a convolution before and after it. */
  async function expectChangeSeen(change: (weight: Tensor) => void): Promise<void> {
    const weight = random([2, 2, 3, 3], 2, true);
    const [before, after] = await onDevice(() => {
      const before = conv2d(x, weight).data.slice();
      change(weight);
      return [before, conv2d(x, weight).data.slice()];
    });
    await setBackend('reference');
    expect(relativeError(after, conv2d(x, weight).data)).toBeLessThan(1e-5);
    expect(relativeError(after, before)).toBeGreaterThan(1e-3);
  }

  test('after assign', () => expectChangeSeen((weight) => assign(weight, random([2, 2, 3, 3], 7))));

  test('after a step of an optimizer', () =>
    expectChangeSeen((weight) => {
      const optimizer = new Momentum([weight], { learningRate: 0.5, momentum: 0.9 });
      mean(conv2d(x, weight)).backward();
      optimizer.step();
    }));

  test('after writing to data', () =>
    expectChangeSeen((weight) => {
      weight.data[0] += 5;
      conv2d(x, weight);
      weight.data[1] += 5;
    }));

  test('after writing to a result', async () => {
    const weight = random([2, 2, 3, 3], 2);
    const next = random([1, 2, 1, 1], 3);
    await onDevice(() =>
      tidy(() => {
        const y = conv2d(x, weight);
        y.data.fill(0);
        expect(Array.from(conv2d(y, next).data).every((value) => value === 0)).toBe(true);
      }),
    );
  });

  test('while gradients are added up in place', async () => {
    const weight = random([2, 2, 1, 1], 2, true);
    const run = (): Float32Array => {
      weight.grad = null;
      for (let i = 0; i < 3; i++) mean(relu(conv2d(x, weight))).backward();
      return Float32Array.from((weight.grad as unknown as Tensor).data);
    };
    const actual = await onDevice(run);
    await setBackend('reference');
    expect(relativeError(actual, run())).toBeLessThan(1e-5);
  });
});

test('kernels of the CPU leave the copy on the device in place', async () => {
  const x = random([1, 2, 6, 6], 1);
  const weight = random([3, 2, 3, 3], 2, true);
  await onDevice(() =>
    tidy(() => {
      const y = conv2d(x, weight, null, { activation: 'relu' });
      const pooled = maxPool2d(y, { kernelSize: 2, stride: 2 });
      const packed = count('pack images');
      add(y, y);
      conv2d(y, random([1, 3, 1, 1], 3));
      expect(count('pack images')).toBe(packed);
      expect(device.reads).toBe(1);
      expect(pooled.shape).toEqual([1, 3, 2, 2]);
    }),
  );
});

test('outside of tidy a loop does not fill the device', async () => {
  // A device of 4 MiB results, and no time lost with computing them.
  const idle: Device = {
    ...device,
    id: 'idle',
    run: (program) => ({ texels: texelCount(program) }),
    read: ({ texels }) => new Float32Array(4 * texels),
    free() {},
  };
  device = new WatchedDevice(idle);
  const x = random([1, 4, 256, 256], 1);
  const weight = random([16, 4, 1, 1], 2);
  await onDevice(() => {
    for (let i = 0; i < 100; i++) conv2d(x, weight);
    // 256 MiB may stay until finalizers run, which they do not in such a loop.
    expect(device.live.size).toBeLessThan(70);
    expect(device.live.size).toBeGreaterThan(20);
  });
});
