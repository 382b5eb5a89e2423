import { BackendError } from '../../../core/errors.ts';
import type { BrowserWorker } from '../../backend.ts';
import { nodeModule } from '../../wasm/host.ts';
import type { Order, Setup, SetupReply } from './messages.ts';

/** The thread with the GPU. */
export interface GpuThread {
  send(message: Setup | Order, transfer: ArrayBuffer[]): void;
  /** Whether the thread keeps the process alive. */
  hold(isNeeded: boolean): void;
  stop(): void;
}

interface Listeners {
  onReply(reply: SetupReply): void;
  onFailure(reason: string): void;
}

/**
 * Code of a thread that runs worker.ts itself, as the `development` condition has it: Node's threads
 * do not inherit the loader of TypeScript.
 */
const FROM_SOURCES = `
  const { workerData } = require('node:worker_threads');
  import('tsx/esm/api').then(({ register }) => {
    register();
    return import(workerData);
  });`;

/** @throws BackendError in a browser without `createWorker` */
export function startThread(
  createWorker: (() => BrowserWorker) | undefined,
  listeners: Listeners,
): GpuThread {
  if (createWorker !== undefined) return useWorker(createWorker(), listeners);
  const threads = nodeModule('node:worker_threads');
  if (threads === undefined) {
    throw new BackendError(
      "setBackend: gpu mode 'webgpu' needs the option createWorker in a browser, since only your " +
        'bundler knows where the code of its worker is; see "WebGPU" in the README of ' +
        '@firelight/tensor',
    );
  }
  const { href } = import.meta.url.endsWith('.ts')
    ? new URL('./worker.ts', import.meta.url)
    : new URL('./worker.js', import.meta.url);
  const worker = href.endsWith('.ts')
    ? new threads.Worker(FROM_SOURCES, { eval: true, workerData: href })
    : new threads.Worker(new URL(href));
  worker.on('message', (reply) => listeners.onReply(reply as SetupReply));
  worker.on('error', (error) => listeners.onFailure(error.message));
  return {
    send: (message, transfer) => worker.postMessage(message, transfer),
    hold: (isNeeded) => (isNeeded ? worker.ref() : worker.unref()),
    stop: () => void worker.terminate(),
  };
}

function useWorker(worker: BrowserWorker, { onReply, onFailure }: Listeners): GpuThread {
  worker.onmessage = ({ data }: { data: SetupReply }) => onReply(data);
  worker.onerror = ({ message }: { message?: string }) =>
    onFailure(message ?? 'the browser did not load it');
  return {
    send: (message, transfer) => worker.postMessage(message, transfer),
    hold: () => {},
    stop: () => worker.terminate(),
  };
}
