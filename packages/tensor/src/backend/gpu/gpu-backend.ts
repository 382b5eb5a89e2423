import { BackendError } from '../../core/errors.ts';
import type { AutomaticBackend } from '../backend.ts';
import { NOT_FLOAT32 } from '../declined.ts';
import type { StartedGpu } from './start-gpu.ts';

/**
 * The device in use. Everything about it is in a module that is loaded with the first start, so that
 * programs without a GPU carry nothing of it.
 */
let current: StartedGpu | null = null;

function started(): StartedGpu {
  if (current === null) {
    throw new BackendError("gpu: the backend was not started; call await setBackend('gpu') first");
  }
  return current;
}

/** @throws BackendError if a page cannot fetch it */
async function loadCode(): Promise<typeof import('./start-gpu.ts')> {
  try {
    return await import('./start-gpu.ts');
  } catch (error) {
    throw new BackendError(
      `the code of 'gpu' cannot be loaded (${(error as Error).message}); use 'wasm'`,
    );
  }
}

export const gpuBackend: AutomaticBackend = {
  name: 'gpu',
  kernels: {
    conv2d: (...values) => started().kernels.conv2d(...values),
    conv2dGrad: (...values) => started().kernels.conv2dGrad(...values),
  },
  declined: { conv2d: [NOT_FLOAT32], conv2dGrad: [NOT_FLOAT32] },
  options: ['mode', 'keepOnDevice', 'webgpuModule', 'createWorker'],
  fallback: 'wasm',

  describe: (fallback) => started().describe(fallback),

  async start(options) {
    const { startGpu } = await loadCode();
    current = await startGpu(options);
  },

  async startAutomatically(options) {
    const code = await loadCode().catch((error: Error) => error.message);
    if (typeof code === 'string') return code;
    const found = await code.startHardware(options);
    if (typeof found === 'string') return found;
    current = found;
    return null;
  },
};
