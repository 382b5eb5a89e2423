import { type BackendOptions, setBackend, setThreads, ValueError } from '@firelight/tensor';
import type { TrainOptions } from './train-options.ts';

/** The npm package `webgpu` as it is installed here, if it is. */
function installedWebGpu(): string | undefined {
  try {
    return import.meta.resolve('webgpu');
  } catch {
    return undefined;
  }
}

/**
 * Starts what --backend, --gpu-mode, --webgpu-module and --threads ask for.
 *
 * @throws ValueError for a flag of the GPU without the GPU
 * @throws BackendError if this machine lacks the backend or the mode
 */
export async function chooseBackend(given: TrainOptions): Promise<void> {
  const { backend, threads, 'gpu-mode': mode, 'webgpu-module': module } = given;
  const usesGpu = backend === 'gpu' || backend === 'auto';
  if (!usesGpu && (mode !== undefined || module !== undefined)) {
    const flag = mode === undefined ? '--webgpu-module' : '--gpu-mode';
    throw new ValueError(`${flag} goes with --backend gpu or --backend auto`);
  }
  const webgpuModule = usesGpu ? (module ?? installedWebGpu()) : undefined;
  const options: BackendOptions = {
    ...(mode !== undefined && { mode }),
    ...(webgpuModule !== undefined && { webgpuModule }),
  };
  if (backend !== undefined) await setBackend(backend, options);
  if (threads !== undefined) setThreads(threads);
}
