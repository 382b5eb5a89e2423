import type { Dialect, Program } from '../programs/program.ts';
import type { GpuMode } from './gpu-js.ts';

/** What runs the programs. */
export interface DeviceDescription {
  readonly mode: GpuMode;
  /** The device's name of itself; for modes without a device, what computes instead. */
  readonly renderer: string;
  /** Whether it is a real GPU; null where that cannot be told. */
  readonly isHardware: boolean | null;
}

/** Texels on a device. */
export interface DeviceArray {
  readonly texels: number;
}

/**
 * A GPU, or what gpu.js puts in its place. All calls return when their result can be used. What goes
 * wrong on the device is reported by `read` at the latest.
 */
export interface Device {
  /** Tells its arrays apart from those of other devices. */
  readonly id: string;
  readonly description: DeviceDescription;
  readonly dialect: Dialect;
  /** Most texels that one array may have, and what bounds them. */
  readonly maxTexels: number;
  readonly limit: string;
  /** Most planes (of images times quads) that a program can compute at once. */
  readonly maxPlanes: number;
  /** Why it answers no more, and another has to be started; null while it does. */
  readonly problem: string | null;
  /**
   * Runs a program on arrays of the device and of the host.
   *
   * @throws BackendError if gpu.js refuses it or would run it elsewhere
   */
  run(program: Program, values: readonly (DeviceArray | Float32Array)[]): DeviceArray;
  /** The texels, four numbers each. */
  read(array: DeviceArray): Float32Array;
  free(array: DeviceArray): void;
}

/** Indices are float32 in kernels, exact up to here. */
export const MAXIMUM_INDEX = 2 ** 24;

let devices = 0;

export function nextDeviceId(): string {
  devices++;
  return `device ${devices}`;
}
