import { BackendError } from '../../core/errors.ts';
import type { BackendOptions } from '../backend.ts';
import type { Kernels } from '../contract.ts';
import { convolutionOn } from './conv2d/conv2d.ts';
import type { Device } from './device/device.ts';
import { type GpuJs, type GpuMode, KERNEL_CLASSES, loadGpuJs } from './device/gpu-js.ts';
import { LocalDevice } from './device/local-device.ts';
import { DEVICE_MODES, expectMode, whyNotMode } from './device/modes.ts';
import { WorkerDevice, whyNotWebGpu } from './webgpu/worker-device.ts';

/** Devices by mode, for WebGPU also by module. They stay: arrays may be on them. */
const devices = new Map<string, Promise<Device>>();

/** A device that answers, and what runs on it. */
export interface StartedGpu {
  readonly kernels: Pick<Kernels, 'conv2d' | 'conv2dGrad'>;
  /** One line: what runs, on what, with which options. */
  describe(fallback: string | null): string;
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
  const key = mode === 'webgpu' ? `${mode} ${options.webgpuModule ?? ''}` : mode;
  const present = devices.get(key);
  if (present !== undefined) {
    const device = await present.catch(() => null); // Whoever starts it learns why not.
    if (device?.problem === null) return device;
    if (devices.get(key) === present) devices.delete(key);
  }
  // Found or set without a wait in between, so that two calls at once start one.
  const starting = devices.get(key) ?? startDevice(lib, mode, options);
  devices.set(key, starting);
  try {
    return await starting;
  } catch (error) {
    if (devices.get(key) === starting) devices.delete(key);
    return (error as Error).message; // Whatever stands in the way is a reason.
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
  /** Why other modes were passed over. */
  readonly passedOver: readonly string[];
}

/**
 * The first device that is a GPU, or else the first one.
 *
 * @throws BackendError if gpu.js is not there
 */
async function findDevice(options: BackendOptions): Promise<Found> {
  const lib = await loadGpuJs();
  const software: { device: Device; reason: string }[] = [];
  const reasons: string[] = [];
  for (const mode of options.mode === undefined ? DEVICE_MODES : [options.mode]) {
    const device = await deviceOf(lib, mode, options);
    const problem = typeof device === 'string' ? device : whyNotHardware(device);
    const reason = `${mode}: ${problem}`;
    if (typeof device !== 'string') {
      if (problem === null) return { device, passedOver: reasons };
      software.push({ device, reason });
    }
    reasons.push(reason);
  }
  const [first] = software;
  if (first === undefined) return { device: null, passedOver: reasons };
  return { device: first.device, passedOver: reasons.filter((reason) => reason !== first.reason) };
}

function startedOn(
  device: Device,
  { keepOnDevice = true }: BackendOptions,
  passedOver: readonly string[],
): StartedGpu {
  const settings = { device, keepOnDevice };
  return {
    kernels: convolutionOn(() => settings),

    describe(fallback) {
      const { mode, renderer, isHardware } = device.description;
      const unknown = 'it does not say whether it is a GPU';
      const kind = isHardware === null ? unknown : isHardware ? 'hardware' : 'software';
      return [
        `gpu: gpu.js in mode ${mode} (${KERNEL_CLASSES[mode]}) on '${renderer}' (${kind})`,
        `convolutions in float32${keepOnDevice ? ', kept on the device' : ''}`,
        `the rest on '${fallback}', other dtypes on 'reference'`,
        ...passedOver.map((reason) => `not ${reason}`),
      ].join('; ');
    },
  };
}

/**
 * Starts a GPU, or what gpu.js puts in its place.
 *
 * @throws BackendError if there is no gpu.js or no such mode, or none can run here
 */
export async function startGpu(options: BackendOptions): Promise<StartedGpu> {
  if (options.mode !== undefined) expectMode(options.mode);
  const { device, passedOver } = await findDevice(options);
  if (device === null) {
    throw new BackendError(
      `setBackend: 'gpu' cannot run here: ${passedOver.join('; ')}; or use 'wasm'`,
    );
  }
  return startedOn(device, options, passedOver);
}

/**
 * Starts a GPU that is one, or says why there is none.
 *
 * @throws BackendError if there is no such mode
 */
export async function startHardware(options: BackendOptions): Promise<StartedGpu | string> {
  if (options.mode !== undefined) expectMode(options.mode);
  const found = await findDevice(options).catch((error: Error) => error.message);
  if (typeof found === 'string') return found; // There is no gpu.js.
  const { device, passedOver } = found;
  if (device === null) return passedOver.join('; ');
  const problem = whyNotHardware(device);
  if (problem !== null) return [`${device.description.mode}: ${problem}`, ...passedOver].join('; ');
  return startedOn(device, options, passedOver);
}
