import { nodeModule } from '../../host.ts';
import type { Address } from './address.ts';

/** Threads beside the main one; each runs `workerLoop` of the module. */

interface WorkerData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Where the tasks' modules are listed; see `DIRECTORY`. */
  readonly directory: number;
  /** Address of the thread's scratch memory. */
  readonly scratch: Address;
  /** When this is over, the thread ends by itself; see `startGeneration`. */
  readonly generation: number;
}

export interface WorkerThread {
  /** Frees what a thread leaves behind; it has to end by itself. */
  stop(): void;
}

// Text instead of a file, so that neither a bundler nor a loader of TypeScript has to find it.
// A thread inside the loop gets no messages: it finds the code of a task in the memory that all share.
const RUN = `({ module, memory, directory, scratch, generation }) => {
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 0 });
  const loadTask = (place) => {
    if (place >= table.length) table.grow(place + 1 - table.length);
    if (table.get(place) !== null) return;
    const [address, length] = new Int32Array(memory.buffer, directory + 8 * place, 2);
    const code = new WebAssembly.Module(new Uint8Array(memory.buffer, address, length).slice());
    const [task] = Object.values(new WebAssembly.Instance(code, { env: { memory } }).exports);
    table.set(place, task);
  };
  const { exports } = new WebAssembly.Instance(module, { env: { memory, table, loadTask } });
  exports.workerLoop(scratch, generation);
}`;
const IN_NODE = `(${RUN})(require('node:worker_threads').workerData)`;
const IN_BROWSER = `onmessage = ({ data }) => (${RUN})(data)`;

/** @param onError is told why the thread does not run; it may never be called */
export function startWorker(data: WorkerData, onError: (reason: string) => void): WorkerThread {
  const threads = nodeModule('node:worker_threads');
  if (threads !== undefined) {
    // Without execArgv and environment, options of the process (such as loaders) are not repeated.
    const options = {
      eval: true,
      workerData: data,
      execArgv: [],
      env: {},
      // Piped into those of the process, they would throw what console.log forgives: a closed pipe.
      stdout: true,
      stderr: true,
    };
    const worker = new threads.Worker(IN_NODE, options);
    worker.unref(); // A waiting thread must not keep the process alive.
    worker.on('error', (error) => onError(error.message));
    return { stop() {} }; // A thread without work ends.
  }
  const url = URL.createObjectURL(new Blob([IN_BROWSER], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onerror = (event) => onError(event.message ?? 'the browser did not load it');
  worker.postMessage(data);
  return {
    stop() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}

/** Why there can be only one thread here; null if there can be more. */
export function whyNoWorkers(): string | null {
  if (nodeModule('node:worker_threads') !== undefined) return null;
  if (typeof Worker === 'undefined') return 'there are no workers here';
  if (globalThis.crossOriginIsolated !== true) {
    return 'the page is not cross-origin isolated (headers COOP and COEP)';
  }
  return null;
}
