import { setBackend } from '@firelight/tensor';
import { convolutionOn } from '../../../../packages/tensor/src/backend/gpu/conv2d/conv2d.ts';
import type {
  Device,
  DeviceArray,
} from '../../../../packages/tensor/src/backend/gpu/device/device.ts';
import { loadGpuJs } from '../../../../packages/tensor/src/backend/gpu/device/gpu-js.ts';
import { LocalDevice } from '../../../../packages/tensor/src/backend/gpu/device/local-device.ts';
import type { GpuSettings } from '../../../../packages/tensor/src/backend/gpu/device/pass.ts';
import {
  type Program,
  texelCount,
} from '../../../../packages/tensor/src/backend/gpu/programs/program.ts';
import { convolution } from '../../../../packages/tensor/src/backend/wasm/index.ts';

/** A device that notes what it is asked to do, and may be made smaller than it is. */
export class WatchedDevice implements Device {
  readonly id: string;
  readonly description: Device['description'];
  readonly dialect: Device['dialect'];
  readonly maxTexels: number;
  readonly maxPlanes: number;
  readonly limit: string;
  readonly problem = null;
  /** Names of the programs that ran. */
  readonly runs: string[] = [];
  reads = 0;
  uploadedBytes = 0;
  readBytes = 0;
  readonly live = new Set<DeviceArray>();
  readonly #device: Device;

  constructor(device: Device, limits: Partial<Pick<Device, 'maxTexels' | 'maxPlanes'>> = {}) {
    this.#device = device;
    this.id = `watched ${device.id}`;
    this.description = device.description;
    this.dialect = device.dialect;
    this.maxTexels = limits.maxTexels ?? device.maxTexels;
    this.maxPlanes = limits.maxPlanes ?? device.maxPlanes;
    this.limit = device.limit;
  }

  /** Counts from zero again. */
  reset(): void {
    this.runs.length = 0;
    this.reads = 0;
    this.uploadedBytes = 0;
    this.readBytes = 0;
  }

  run(program: Program, values: readonly (DeviceArray | Float32Array)[]): DeviceArray {
    this.runs.push(program.name);
    for (const value of values) {
      if (value instanceof Float32Array) this.uploadedBytes += value.byteLength;
    }
    const array = this.#device.run(program, values);
    this.live.add(array);
    return array;
  }

  read(array: DeviceArray): Float32Array {
    if (!this.live.has(array)) throw new Error('read after it was freed');
    this.reads++;
    this.readBytes += 16 * array.texels;
    return this.#device.read(array);
  }

  free(array: DeviceArray): void {
    if (!this.live.delete(array)) throw new Error('freed twice');
    this.#device.free(array);
  }
}

export async function webAssemblyDevice(): Promise<Device> {
  return new LocalDevice(await loadGpuJs(), 'webasm');
}

/**
 * Runs `body` with convolutions on a device of the test's own. (The kernels of the wasm backend are
 * exchanged meanwhile: the registry knows one gpu backend only.)
 */
export async function withDevice<Result>(
  settings: GpuSettings,
  body: () => Result | Promise<Result>,
): Promise<Result> {
  const originals = { ...convolution };
  Object.assign(
    convolution,
    convolutionOn(() => settings),
  );
  await setBackend('wasm');
  try {
    return await body();
  } finally {
    Object.assign(convolution, originals);
    await setBackend('wasm');
  }
}

/** A device that only counts: of results of any size, without their content. */
export function idleDevice(): WatchedDevice {
  return new WatchedDevice({
    id: 'idle',
    description: { mode: 'cpu', renderer: 'none', isHardware: false },
    dialect: 'buffer',
    maxTexels: 2 ** 24,
    maxPlanes: 2 ** 21,
    limit: 'none',
    problem: null,
    run: (program) => ({ texels: texelCount(program) }),
    read: ({ texels }) => new Float32Array(4 * texels),
    free() {},
  });
}
