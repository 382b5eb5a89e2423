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

/** Devices by mode. They stay: arrays may be on one after another was chosen. */
const devices = new Map<GpuMode, Device>();

interface Settings extends GpuSettings {
  /** Modes that would have been preferred, and why they are not to be had. */
  readonly passedOver: readonly string[];
}

let settings: Settings | null = null;

function startedSettings(): Settings {
  if (settings === null) {
    throw new BackendError("gpu: the backend was not started; call await setBackend('gpu') first");
  }
  return settings;
}

/** The device of a mode, or the reason why there is none. */
async function deviceOf(
  lib: GpuJs,
  mode: GpuMode,
  options: BackendOptions,
): Promise<Device | string> {
  const present = devices.get(mode);
  if (present !== undefined) return present;
  const problem = mode === 'webgpu' ? whyNotWebGpu(options) : whyNotMode(lib, mode);
  if (problem !== null) return problem;
  try {
    const device =
      mode === 'webgpu' ? await WorkerDevice.start(options) : new LocalDevice(lib, mode);
    devices.set(mode, device);
    return device;
  } catch (error) {
    if (error instanceof BackendError) return error.message;
    throw error;
  }
}

/** The first device of some modes that `accepts` has nothing against, or all reasons. */
async function findDevice(
  modes: readonly GpuMode[],
  options: BackendOptions,
  whyNot: (device: Device) => string | null = () => null,
): Promise<{ device: Device | null; problems: string[] }> {
  const lib = await loadGpuJs();
  const problems: string[] = [];
  for (const mode of modes) {
    const found = await deviceOf(lib, mode, options);
    const problem = typeof found === 'string' ? found : whyNot(found);
    if (typeof found !== 'string' && problem === null) return { device: found, problems };
    problems.push(`${mode}: ${problem}`);
  }
  return { device: null, problems };
}

function whyNotHardware({ description: { renderer, isHardware } }: Device): string | null {
  if (isHardware === true) return null;
  const name = `'${renderer}'`;
  return isHardware === false
    ? `${name} is software, slower than 'wasm'`
    : `${name} does not say whether it is a GPU`;
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
      `the rest on '${this.fallback}'`,
      ...passedOver.map((reason) => `not ${reason}`),
    ].join('; ');
  },

  async start(options) {
    const { mode, keepOnDevice = true } = options;
    const modes = mode === undefined ? DEVICE_MODES : [expectMode(mode)];
    const { device, problems } = await findDevice(modes, options);
    if (device === null) {
      throw new BackendError(
        `setBackend: 'gpu' cannot run here: ${problems.join('; ')}; or use 'wasm'`,
      );
    }
    settings = { device, keepOnDevice, passedOver: problems };
  },

  async startAutomatically(options) {
    const { keepOnDevice = true } = options;
    const { device, problems } = await findDevice(DEVICE_MODES, options, whyNotHardware);
    if (device === null) return problems.join('; ');
    settings = { device, keepOnDevice, passedOver: problems };
    return null;
  },
};
