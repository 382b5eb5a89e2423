import { describe, expect, test } from 'vitest';
import type { Gpu, GpuJs } from '../../../../packages/tensor/src/backend/gpu/device/gpu-js.ts';
import { LocalDevice } from '../../../../packages/tensor/src/backend/gpu/device/local-device.ts';
import { PROBE, PROBE_VALUES } from '../../../../packages/tensor/src/backend/gpu/device/probe.ts';
import { Executor } from '../../../../packages/tensor/src/backend/gpu/webgpu/executor.ts';

// What devices do wrong without throwing, as gpu.js passes it on. No device here does so when it is
// told to, so there are stand-ins for gpu.js.

class Kernel {
  readonly fallbackReason = 'the texture is too large';
}

/** What the probe computes, texel by texel. */
const probed = (): Float32Array[] =>
  Array.from(PROBE_VALUES, (v) => Float32Array.of(v, v * 3, v + 1, 0.1));

/** A gpu.js whose kernels do what they are told, in a context that reports `glError`. */
function libraryThat(
  answer: () => unknown,
  { Class = Kernel, glError = () => 0 }: { Class?: unknown; glError?: () => number } = {},
): GpuJs {
  const kernel = Object.assign(() => answer(), { kernel: new Kernel(), destroy() {} });
  const context = { NO_ERROR: 0, RENDERER: 1, getError: glError, getExtension: () => null };
  class GPU {
    readonly context = { ...context, getParameter: () => 'fake' };
    createKernel = (): ReturnType<Gpu['createKernel']> => kernel;
  }
  const classes = { CPUKernel: Class, WebGL2Kernel: Class, WebGPUKernel: Class };
  return { GPU, input: (values: Float32Array) => values, ...classes } as unknown as GpuJs;
}

describe('a device in this thread', () => {
  test('that gpu.js would replace by another is refused', () => {
    class Expected {}
    expect(() => new LocalDevice(libraryThat(probed, { Class: Expected }), 'cpu')).toThrow(
      "gpu: gpu.js would run 'probe' on another device: the texture is too large; use 'wasm'",
    );
  });

  test('that does not compute in float32 is refused', () => {
    const inaccurate = () => [new Float32Array([1.2, 3.7, 2.2, 0.1]), new Float32Array(4)];
    expect(() => new LocalDevice(libraryThat(inaccurate), 'cpu')).toThrow(
      'it does not compute in float32 here: 1.2000000476837158, ',
    );
  });

  test('that throws is quoted', () => {
    const failing = (): never => {
      throw new Error('shader lost');
    };
    expect(() => new LocalDevice(libraryThat(failing), 'cpu')).toThrow(
      "gpu: gpu.js refuses 'probe': shader lost",
    );
  });

  test('that is out of memory does not pass zeros off as results', () => {
    let error = 0;
    const texture = () => ({
      renderValues: () => Float32Array.from(probed().flatMap((texel) => [...texel])),
      delete() {},
    });
    const once = (): number => {
      const reported = error;
      error = 0;
      return reported;
    };
    const lib = libraryThat(texture, { glError: once });
    Object.assign(lib.WebGL2Kernel, { features: { maxTextureSize: 64 } });
    const device = new LocalDevice(lib, 'webgl2');
    expect(device.maxTexels).toBe(63 ** 2);
    expect(device.limit).toBe('textures have at most 64 × 64 texels');
    const [first, second] = [1, 2].map(() => device.run(PROBE, [PROBE_VALUES]));
    expect(device.read(first)).toHaveLength(8);
    error = 0x0505;
    const problem =
      'WebGL reports error 1285 (out of memory), and what is on the device may be wrong; use ' +
      'smaller batches or keepOnDevice: false';
    const message = `gpu: ${problem}; call setBackend('gpu') again, or use 'wasm'`;
    expect(() => device.read(first)).toThrow(message);
    // WebGL says it once; nothing made meanwhile can be relied on.
    expect(() => device.read(second)).toThrow(message);
    expect(() => device.run(PROBE, [PROBE_VALUES])).toThrow(message);
    expect(device.problem).toBe(problem);
  });
});

describe('a device of WebGPU', () => {
  interface Device {
    onuncapturederror?: (event: { error: { message: string } }) => void;
  }

  function executorWith(
    device: Device,
    Class: unknown = Kernel,
    context: { isLost?: boolean } = {},
    numbers = () => Float32Array.from(probed().flatMap((texel) => [...texel])),
  ): Executor {
    const buffer = () =>
      Promise.resolve({
        context: { device, ...context },
        toArray: async () => numbers(),
        delete() {},
      });
    return new Executor(libraryThat(buffer, { Class }));
  }

  test('passes the probe if it computes right, by the class that it should', async () => {
    expect(await executorWith({}).probe()).toBeNull();
    class Other {}
    expect(await executorWith({}, Other).probe()).toBe(
      "gpu.js would run 'probe' on another device; use 'wasm'",
    );
  });

  test('that is out of memory does not pass zeros off as results', async () => {
    const device: Device = {};
    const executor = executorWith(device);
    await executor.run(PROBE, [PROBE_VALUES], 1);
    expect(await executor.read(1)).toHaveLength(8);
    device.onuncapturederror?.({ error: { message: 'Out of memory\n - in a call' } });
    const problem =
      "WebGPU reports 'Out of memory', and what is on the device may be wrong; use smaller " +
      'batches or keepOnDevice: false';
    expect(await executor.read(1)).toBe(problem);
    await executor.run(PROBE, [PROBE_VALUES], 2);
    expect(await executor.read(2)).toBe(problem);
    expect(executor.problem).toBe(problem);
  });

  test('that is lost says so', async () => {
    const executor = executorWith({}, Kernel, { isLost: true });
    await executor.run(PROBE, [PROBE_VALUES], 1);
    expect(await executor.read(1)).toBe('the device was lost, and what was on it is gone');
  });

  test('that computes wrong does not pass the probe', async () => {
    const executor = executorWith({}, Kernel, {}, () => new Float32Array(8));
    expect(await executor.probe()).toMatch(/^it does not compute in float32 here: 0, 0, /);
  });

  test('passes a problem on to all that is computed from it', async () => {
    const executor = executorWith({});
    await executor.run(PROBE, [7], 1);
    await executor.run(PROBE, [1], 2);
    expect(await executor.read(2)).toBe("'probe': an operand was freed");
    executor.free(2);
    expect(await executor.read(2)).toBe('the array was freed');
  });
});
