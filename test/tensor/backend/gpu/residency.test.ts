import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Momentum } from '@firelight/nn';
import {
  add,
  assign,
  conv2d,
  conv2dBranches,
  Generator,
  maxPool2d,
  mean,
  ones,
  randn,
  relu,
  reshape,
  setBackend,
  type Tensor,
  tensor,
  tidy,
} from '@firelight/tensor';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { DeviceArray } from '../../../../packages/tensor/src/backend/gpu/device/device.ts';
import type { Program } from '../../../../packages/tensor/src/backend/gpu/programs/program.ts';
import { withBackend } from '../../../../packages/tensor/src/backend/registry.ts';
import { relativeError } from '../../../helpers/relative-error.ts';
import { idleDevice, WatchedDevice, webAssemblyDevice, withDevice } from './devices.ts';

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

  test.each(['wasm', 'reference'])('after assign on %s', (backend) =>
    expectChangeSeen((weight) =>
      withBackend(backend, () => assign(weight, random([2, 2, 3, 3], 7))),
    ),
  );

  test.each(['wasm', 'reference'])('after a step on %s', (backend) =>
    expectChangeSeen((weight) => {
      const optimizer = new Momentum([weight], { learningRate: 0.5, momentum: 0.9 });
      mean(conv2d(x, weight)).backward();
      withBackend(backend, () => optimizer.step());
    }),
  );

  test('after assigning values, also where they were read before', () =>
    expectChangeSeen((weight) => {
      const { data } = weight;
      conv2d(x, weight);
      assign(
        weight,
        data.map((value) => value + 5),
      );
    }));

  test('after changing a result', async () => {
    const weight = random([2, 2, 3, 3], 2);
    const next = random([1, 2, 1, 1], 3);
    await onDevice(() =>
      tidy(() => {
        const y = conv2d(x, weight);
        const before = y.data;
        assign(y, 0);
        expect(Array.from(conv2d(y, next).data).every((value) => value === 0)).toBe(true);
        expect(before.every((value) => value === 0)).toBe(false);
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

/** Lets finalizers run, so that what was dropped before does not count any more. */
async function collectGarbage(isDone: (turn: number) => boolean = (turn) => turn > 4) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let turn = 0; turn < 200 && !isDone(turn); turn++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('outside of tidy', () => {
  beforeEach(() => collectGarbage());

  // 4 MiB a result and an operand, of which 256 MiB may stay until finalizers run.
  const large = (): Tensor => ones([1, 16, 256, 256]);
  const weight = ones([16, 16, 1, 1]);

  test.each([
    ['results', (x: Tensor) => conv2d(x, weight)],
    ['operands', () => tidy(() => void conv2d(large(), weight))],
    ['operands from outside', () => void tidyOver(large())],
  ])('a loop does not fill the device with %s', async (_, step) => {
    device = idleDevice();
    const x = large();
    await onDevice(() => {
      for (let i = 0; i < 100; i++) step(x);
      expect(device.live.size).toBeLessThan(70);
    });
  });

  function tidyOver(x: Tensor): void {
    tidy(() => void conv2d(x, weight));
  }

  test('what tidy returns can be read, however much it is', async () => {
    device = idleDevice();
    await onDevice(() => {
      const x = large();
      const results = tidy(() => Array.from({ length: 100 }, () => conv2d(x, weight)));
      expect(device.live.size).toBeGreaterThan(30);
      expect(device.live.size).toBeLessThan(70);
      for (const result of results) expect(result.data).toHaveLength(16 * 256 * 256);
    });
  });

  test('what is collected is freed, and gradients keep nothing else alive', async () => {
    device = idleDevice();
    await withDevice({ device, keepOnDevice: true }, async () => {
      const kept = ones([16, 16, 1, 1], { requiresGrad: true });
      let x: Tensor | null = large();
      const reference = new WeakRef(x.array.storage);
      mean(conv2d(x, kept)).backward();
      x = null;
      expect(device.live.size).toBeGreaterThan(2);
      await collectGarbage(() => device.live.size === 2);
      expect(device.live.size).toBe(2); // the weight and its gradient
      expect(reference.deref()).toBeUndefined();
      expect(kept.grad).not.toBeNull();
    });
  });
});

test('what a call left on the device goes when the call fails', async () => {
  class FailingDevice extends WatchedDevice {
    override run(program: Program, values: readonly (DeviceArray | Float32Array)[]): DeviceArray {
      if (program.name === 'gradient of conv2d by its input') throw new Error('no memory');
      return super.run(program, values);
    }
  }
  const failing = new FailingDevice(await webAssemblyDevice());
  await withDevice({ device: failing, keepOnDevice: true }, () => {
    expect(() =>
      tidy(() => {
        const weight = random([2, 2, 1, 1], 2, true);
        const x = random([1, 2, 3, 3], 1, true);
        mean(conv2d(x, weight, null, { activation: 'relu' })).backward();
      }),
    ).toThrow('no memory');
    expect(failing.live.size).toBe(0);
  });
});

test('one array may be two weights', async () => {
  const x = [random([1, 2, 3, 3], 1), random([1, 4, 3, 3], 2)];
  const weight = random([4, 2, 1, 1], 3);
  const run = (): number[] =>
    [conv2d(x[0], weight), conv2d(x[1], reshape(weight, [2, 4, 1, 1]))].flatMap((y) =>
      Array.from(y.data),
    );
  const actual = await onDevice(run);
  await setBackend('reference');
  expect(relativeError(actual, run())).toBeLessThan(1e-5);
});

test('gradients that nobody asks for are not computed', async () => {
  const inputs = [random([1, 2, 4, 4], 1), random([2, 2, 1, 1], 2, true), random([2], 3)];
  await onDevice(() => {
    const [x, weight, bias] = inputs;
    mean(conv2d(x, weight, bias)).backward();
    expect(count('gradient of conv2d by its weights')).toBe(1);
    expect(count('gradient of conv2d by its input')).toBe(0);
    expect(count('gradient of conv2d by its bias')).toBe(0);
    device.reset();
    mean(conv2d(random([1, 2, 4, 4], 1, true), random([2, 2, 1, 1], 2))).backward();
    expect(count('gradient of conv2d by its weights')).toBe(0);
    expect(count('gradient of conv2d by its input')).toBe(1);
  });
});

test('an operand is packed once in a call, also where the device is full', async () => {
  await collectGarbage();
  device = idleDevice();
  await onDevice(() => {
    const full = tidy(() =>
      Array.from({ length: 70 }, () => conv2d(ones([1, 4, 256, 256]), ones([16, 4, 1, 1]))),
    );
    const x = ones([1, 4, 256, 256]);
    device.reset();
    const branches = [1, 2, 3].map(() => ({ weight: ones([16, 4, 1, 1]), bias: null }));
    conv2dBranches(x, branches);
    expect(count('pack images')).toBe(1);
    expect(full).toHaveLength(70);
  });
});

test('an operand made of an array of the user stays on the device, whatever becomes of the array', async () => {
  const values = new Float32Array(2 * 4 * 25).fill(1);
  const x = tensor(values, { shape: [2, 4, 5, 5] });
  const weight = ones([3, 4, 1, 1]);
  await onDevice(() => {
    expect(conv2d(x, weight).data[0]).toBe(4);
    values.fill(2);
    expect(conv2d(x, weight).data[0]).toBe(4);
    expect(x.data[0]).toBe(1); // Reading gives nothing up.
    conv2d(x, weight);
    expect(count('pack images')).toBe(1);
    expect(count('pack weights')).toBe(1);
  });
});
