import { isNode } from '../../host.ts';
import {
  type BrowserWorker,
  startThread,
  type ThreadListeners,
  type WorkerThread,
} from '../../worker-thread.ts';
import type { Order, Setup, SetupReply } from './messages.ts';

/** The thread with the GPU. */
export type GpuThread = WorkerThread<Setup | Order>;

export type GpuListeners = ThreadListeners<SetupReply>;

/** Starts a thread of Node, or in a browser the worker that `createWorker` makes. */
export function startGpuThread(
  createWorker: (() => BrowserWorker) | undefined,
  listeners: GpuListeners,
): GpuThread {
  const file = import.meta.url.endsWith('.ts')
    ? new URL('./worker.ts', import.meta.url)
    : new URL('./worker.js', import.meta.url);
  return startThread(file, isNode() ? undefined : createWorker, listeners);
}
