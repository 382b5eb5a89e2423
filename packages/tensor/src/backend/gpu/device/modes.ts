import { BackendError } from '../../../core/errors.ts';
import { type GpuJs, type GpuMode, KERNEL_CLASSES } from './gpu-js.ts';

/** Modes that may reach a GPU, in the order in which they are tried. */
export const DEVICE_MODES = ['webgl2', 'headlessgl', 'webgpu'] as const satisfies GpuMode[];

/** @throws BackendError if gpu.js has no such mode */
export function expectMode(mode: string): void {
  if (Object.hasOwn(KERNEL_CLASSES, mode)) return;
  const list = Object.keys(KERNEL_CLASSES).map((name) => `'${name}'`);
  throw new BackendError(
    `setBackend: there is no gpu mode '${mode}'; choose one of ${list.join(', ')}`,
  );
}

/** What a mode that runs in the calling thread may lack. */
const NEEDS = {
  webgl2: 'a browser with WebGL2',
  headlessgl:
    "Node with the optional package 'gl' compiled (npm explore gl -- node-gyp rebuild) and a " +
    'display (xvfb-run makes one)',
  webasm: 'WebAssembly',
} as const;

/** The modes of gpu.js that answer at once. */
export type LocalMode = Exclude<GpuMode, 'webgpu'>;

/**
 * Why a mode cannot run in this thread; null if it can. (gpu.js itself accepts the mode 'gpu'
 * everywhere and calls it supported, even where it then runs WebAssembly.)
 */
export function whyNotMode(lib: GpuJs, mode: LocalMode): string | null {
  if (mode === 'cpu' || lib[KERNEL_CLASSES[mode]].isSupported) return null;
  return `it needs ${NEEDS[mode]}`;
}
