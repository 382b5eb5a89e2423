import { BackendError } from '../../core/errors.ts';
import type { AutomaticBackend, BackendOptions } from '../backend.ts';
import { whyNotWasm } from '../wasm/backend.ts';
import { convolutionOn } from './conv2d.ts';
import type { Device } from './device.ts';
import { type GpuJs, type GpuMode, loadGpuJs } from './gpu-js.ts';
import { LocalDevice } from './local-device.ts';
import { DEVICE_MODES, expectMode, whyNotMode } from './modes.ts';
import type { GpuSettings } from './pass.ts';
import { WorkerDevice, whyNotWebGpu } from './webgpu/worker-device.ts';

/** Devices by mode, and by module for WebGPU. They stay: arrays may be on one after another is chosen. */
const devices = new Map<string, Promise<Device>>();

interface Settings extends GpuSettings {
  /** Modes that were preferred, and why they were passed over. */
  readonly passedOver: readonly string[];
}

let settings: Settings | null = null;

function startedSettings(): Settings {
  if (settings === null) {
    throw new BackendError("gpu: the backend was not started; call await setBackend('gpu') first");
  }
  return settings;
}

async function startDevice(lib: GpuJs, mode: GpuMode, options: BackendOptions): Promise<Device> {
  const problem = mode === 'webgpu' ? whyNotWebGpu(options) : whyNotMode(lib, mode);
  if (problem !== null) throw new BackendError(problem);
  return mode === 'webgpu' ? WorkerDevice.start(options) : new LocalDevice(lib, mode);
}

/** The device of a mode, or the reason why there is none. */
async function deviceOf(
  lib: GpuJs,
  mode: GpuMode,
  options: BackendOptions,
): Promise<Device | string> {
  const key = `${mode} ${options.webgpuModule ?? ''}`;
  try {
    const present = devices.get(key);
    // Without a wait in between two calls at once would start two.
    if (present !== undefined) {
      const device = await present;
      if (device.problem === null) return device;
    }
    const starting = startDevice(lib, mode, options);
    devices.set(key, starting);
    return await starting;
  } catch (error) {
    devices.delete(key);
    if (error instanceof BackendError) return error.message;
    throw error;
  }
}

function whyNotHardware({ description: { renderer, isHardware } }: Device): string | null {
  if (isHardware === true) return null;
  return isHardware === false
    ? `'${renderer}' is software, slower than 'wasm'`
    : `'${renderer}' does not say whether it is a GPU`;
}

interface Found {
  readonly device: Device | null;
  readonly passedOver: readonly string[];
}

/**
 * The first device that is a GPU, or else the first one.
 *
 * @throws BackendError if gpu.js is not there or the mode is none of its
 */
async function findDevice(options: BackendOptions): Promise<Found> {
  const { mode } = options;
  if (mode !== undefined) expectMode(mode);
  const modes = mode === undefined ? DEVICE_MODES : [mode];
  const lib = await loadGpuJs();
  const found: Device[] = [];
  const passedOver: string[] = [];
  for (const candidate of modes) {
    const device = await deviceOf(lib, candidate, options);
    const problem = typeof device === 'string' ? device : whyNotHardware(device);
    if (typeof device !== 'string') {
      if (problem === null) return { device, passedOver };
      found.push(device);
    }
    passedOver.push(`${candidate}: ${problem}`);
  }
  return { device: found[0] ?? null, passedOver };
}

export const gpuBackend: AutomaticBackend = {
  name: 'gpu',
  kernels: convolutionOn(startedSettings),
  options: ['mode', 'keepOnDevice', 'webgpuModule', 'createWorker'],
  fallback: whyNotWasm() === null ? 'wasm' : 'reference',

  describe() {
    const { device, keepOnDevice, passedOver } = startedSettings();
    const { mode, kernelClass, renderer, isHardware } = device.description;
    const unknown = 'it does not say whether it is a GPU';
    const kind = isHardware === null ? unknown : isHardware ? 'hardware' : 'software';
    return [
      `gpu: gpu.js in mode ${mode} (${kernelClass}) on '${renderer}' (${kind})`,
      `convolutions in float32${keepOnDevice ? ', kept on the device' : ''}`,
      `the rest on '${this.fallback}', float64 and integers on 'reference'`,
      ...passedOver.map((reason) => `not ${reason}`),
    ].join('; ');
  },

  async start(options) {
    const { device, passedOver } = await findDevice(options);
    if (device === null) {
      throw new BackendError(
        `setBackend: 'gpu' cannot run here: ${passedOver.join('; ')}; or use 'wasm'`,
      );
    }
    const { keepOnDevice = true } = options;
    const { mode } = device.description;
    const others = passedOver.filter((reason) => !reason.startsWith(`${mode}: `));
    settings = { device, keepOnDevice, passedOver: others };
  },

  async startAutomatically(options) {
    if (options.mode !== undefined) expectMode(options.mode);
    let found: Found;
    try {
      found = await findDevice(options);
    } catch (error) {
      if (error instanceof BackendError) return error.message; // There is no gpu.js.
      throw error;
    }
    const { device, passedOver } = found;
    if (device === null || whyNotHardware(device) !== null) return passedOver.join('; ');
    const { keepOnDevice = true } = options;
    settings = { device, keepOnDevice, passedOver };
    return null;
  },
};
