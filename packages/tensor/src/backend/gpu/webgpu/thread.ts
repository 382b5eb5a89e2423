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
  const code = { module: './worker', from: import.meta.url };
  return startThread(code, isNode() ? undefined : createWorker, listeners);
}
