import { BackendError } from '../../core/errors.ts';
import { GPU_MODES, type GpuJs, type GpuMode, KERNEL_CLASSES } from './gpu-js.ts';

/** Modes that may reach a GPU, in the order in which they are tried. */
export const DEVICE_MODES = ['webgl2', 'headlessgl', 'webgpu'] as const satisfies GpuMode[];

/** What a mode needs. */
const NEEDS: Readonly<Record<GpuMode, string>> = {
  webgl2: 'a browser with WebGL2',
  headlessgl:
    "Node with the optional package 'gl' compiled (npm explore gl -- node-gyp rebuild) and a display (xvfb-run makes one)",
  webgpu:
    'navigator.gpu in a worker thread: in a browser the option createWorker, in Node the option ' +
    'webgpuModule',
  webasm: 'WebAssembly',
  cpu: 'nothing but JavaScript',
};

/** @throws BackendError if gpu.js has no such mode */
export function expectMode(mode: string): GpuMode {
  const known = GPU_MODES.find((name) => name === mode);
  if (known !== undefined) return known;
  const list = GPU_MODES.map((name) => `'${name}'`).join(', ');
  throw new BackendError(`setBackend: there is no gpu mode '${mode}'; choose one of ${list}`);
}

/**
 * Why a mode that runs in this thread cannot run here; null if it can. gpu.js itself accepts the
 * mode 'gpu' everywhere and says that it is supported, even where it then runs WebAssembly.
 */
export function whyNotMode(lib: GpuJs, mode: GpuMode): string | null {
  if (mode === 'cpu' || lib[KERNEL_CLASSES[mode]].isSupported) return null;
  return `it needs ${NEEDS[mode]}`;
}
