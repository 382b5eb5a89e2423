import { type BrowserWorker, ValueError } from '@firelight/tensor';
import type { Reply, Request, WorkerSetup } from './messages.ts';

/** A worker thread of Node or of a browser. */
export interface Thread {
  send(message: WorkerSetup | Request, transfer: ArrayBuffer[]): void;
  /** Whether the thread keeps the process alive. */
  hold(isNeeded: boolean): void;
  stop(): Promise<void>;
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

/**
 * Starts a thread that runs `worker.ts`.
 *
 * @throws ValueError in a browser without `createWorker`
 */
export async function startThread(
  onReply: (reply: Reply) => void,
  onFailure: (reason: string) => void,
  createWorker: (() => BrowserWorker) | undefined,
): Promise<Thread> {
  if (createWorker !== undefined) return useWorker(createWorker(), onReply, onFailure);
  if (typeof process === 'undefined' || process.versions?.node === undefined) {
    throw new ValueError(
      'batches: in a browser, workers need the option createWorker, since only your bundler knows ' +
        'where their code is; see "Worker threads" in the README of @firelight/data',
    );
  }
  const { Worker } = await import('node:worker_threads');
  const worker = import.meta.url.endsWith('.ts')
    ? new Worker(FROM_SOURCES, {
        eval: true,
        workerData: new URL('../worker.ts', import.meta.url).href,
      })
    : new Worker(new URL('../worker.js', import.meta.url));
  worker.unref();
  worker.on('message', onReply);
  worker.on('error', (error) => onFailure(error.message));
  worker.on('exit', (code) => onFailure(`it ended with code ${code}`));
  return {
    send: (message, transfer) => worker.postMessage(message, transfer),
    hold: (isNeeded) => (isNeeded ? worker.ref() : worker.unref()),
    async stop() {
      await worker.terminate();
    },
  };
}

function useWorker(
  worker: BrowserWorker,
  onReply: (reply: Reply) => void,
  onFailure: (reason: string) => void,
): Thread {
  worker.onmessage = ({ data }: { data: Reply }) => onReply(data);
  worker.onerror = ({ message }: { message?: string }) =>
    onFailure(message ?? 'the browser did not load it');
  return {
    send: (message, transfer) => worker.postMessage(message, transfer),
    hold: () => {},
    stop: async () => worker.terminate(),
  };
}
