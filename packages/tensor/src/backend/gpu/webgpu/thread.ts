import type { BrowserWorker } from '../../backend.ts';
import { nodeModule } from '../../host.ts';
import type { Order, Setup, SetupReply } from './messages.ts';

/** The thread with the GPU. */
export interface GpuThread {
  send(message: Setup | Order, transfer: ArrayBuffer[]): void;
  /** Whether the thread keeps the process alive. */
  hold(isNeeded: boolean): void;
  stop(): void;
}

/** Whom the thread tells what; they may change. */
export interface ThreadListeners {
  onReply: (reply: SetupReply) => void;
  /** Called, perhaps more than once, when the thread has ended. */
  onFailure: (reason: string) => void;
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

/** Starts a thread of Node, or in a browser the worker that `createWorker` makes; it is there then. */
export function startThread(
  createWorker: (() => BrowserWorker) | undefined,
  listeners: ThreadListeners,
): GpuThread {
  const threads = nodeModule('node:worker_threads');
  if (threads === undefined) {
    return useWorker((createWorker as () => BrowserWorker)(), listeners); // whyNotWebGpu checks it.
  }
  const { href } = import.meta.url.endsWith('.ts')
    ? new URL('./worker.ts', import.meta.url)
    : new URL('./worker.js', import.meta.url);
  const worker = href.endsWith('.ts')
    ? new threads.Worker(FROM_SOURCES, { eval: true, workerData: href })
    : new threads.Worker(new URL(href));
  worker.on('message', (reply) => listeners.onReply(reply as SetupReply));
  worker.on('error', (error) => listeners.onFailure(error.message));
  worker.on('exit', (code) => listeners.onFailure(`it ended with code ${code}`));
  return {
    send: (message, transfer) => worker.postMessage(message, transfer),
    hold: (isNeeded) => (isNeeded ? worker.ref() : worker.unref()),
    stop: () => void worker.terminate(),
  };
}

function useWorker(worker: BrowserWorker, listeners: ThreadListeners): GpuThread {
  worker.onmessage = ({ data }: { data: SetupReply }) => listeners.onReply(data);
  worker.onerror = ({ message }: { message?: string }) =>
    listeners.onFailure(message ?? 'the browser did not load it');
  return {
    send: (message, transfer) => worker.postMessage(message, transfer),
    hold: () => {},
    stop: () => worker.terminate(),
  };
}
