import { type BrowserWorker, ValueError } from '@firelight/tensor';
import {
  isNode,
  startThread,
  type ThreadListeners,
  type WorkerThread,
} from '@firelight/tensor/extend';
import type { BatchRequest, Reply, WorkerSetup } from './messages.ts';

/** A thread that makes batches. */
export type LoaderThread = WorkerThread<WorkerSetup | BatchRequest>;

/**
 * Starts a thread that runs `worker.ts`; it does not keep the process alive.
 *
 * @throws ValueError in a browser without `createWorker`
 */
export function startLoaderThread(
  createWorker: (() => BrowserWorker) | undefined,
  listeners: ThreadListeners<Reply>,
): LoaderThread {
  if (createWorker === undefined && !isNode()) {
    throw new ValueError(
      'batches: in a browser, workers need the option createWorker, since only your bundler knows ' +
        'where their code is; see "Worker threads" in the README of @firelight/data',
    );
  }
  const code = { module: '../worker', from: import.meta.url };
  const thread: LoaderThread = startThread(code, createWorker, listeners);
  thread.hold(false);
  return thread;
}
