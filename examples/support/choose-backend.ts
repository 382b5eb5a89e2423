import { type BackendOptions, setBackend, setThreads } from '@firelight/tensor';
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
 * @throws BackendError if this machine lacks the backend or the mode
 */
export async function chooseBackend(given: TrainOptions): Promise<void> {
  const { backend, threads, 'gpu-mode': mode, 'webgpu-module': module } = given;
  const usesGpu = backend === 'gpu' || backend === 'auto';
  const webgpuModule = usesGpu ? (module ?? installedWebGpu()) : undefined;
  const options: BackendOptions = {
    ...(mode !== undefined && { mode }),
    ...(webgpuModule !== undefined && { webgpuModule }),
  };
  if (backend !== undefined) await setBackend(backend, options);
  if (threads !== undefined) setThreads(threads);
}
