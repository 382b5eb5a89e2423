import { nodeModule } from './host.ts';

/** What is used of a browser's `Worker`. */
export interface BrowserWorker {
  /** Sends a message; `transfer` is handed over, not copied. */
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  /** Ends it at once. */
  terminate(): void;
  /** Called with each answer. */
  onmessage: ((event: never) => unknown) | null;
  /** Called when its code fails. */
  onerror: ((event: never) => unknown) | null;
}

/** A thread that this one started: one of Node, or a browser's worker. */
export interface WorkerThread<Message> {
  /** `transfer` is handed over, not copied. */
  send(message: Message, transfer: ArrayBuffer[]): void;
  /** Whether the thread keeps the process alive; a browser's worker never does. */
  hold(isNeeded: boolean): void;
  /** Ends it, whatever it is doing. */
  stop(): Promise<void>;
}

/** Whom a thread tells what; they may change. */
export interface ThreadListeners<Reply> {
  /** Called with each answer. */
  onReply: (reply: Reply) => void;
  /** Called, perhaps more than once, when the thread has ended. */
  onFailure: (reason: string) => void;
}

/**
 * Code of a thread that runs a file of TypeScript, as the `@firelight/source` condition has it: Node's
 * threads do not inherit the loader of TypeScript.
 */
const FROM_SOURCES = `
  const { workerData } = require('node:worker_threads');
  import('tsx/esm/api').then(({ register }) => {
    register();
    return import(workerData);
  });`;

/** What a thread of Node runs, without an address in the code that bundlers for browsers would follow. */
export interface ThreadCode {
  /** Path of the module from that of `from`, without its extension, which is that of `from`. */
  readonly module: string;
  /** Address of the module that says so: its `import.meta.url`. */
  readonly from: string;
}

/**
 * Starts a thread of Node that runs `code`, or the worker that `createWorker` makes: in a browser only
 * the bundler knows where the code is.
 *
 * @throws Error outside of Node without `createWorker`; the caller should have said so better
 */
export function startThread<Message, Reply>(
  { module, from }: ThreadCode,
  createWorker: (() => BrowserWorker) | undefined,
  listeners: ThreadListeners<Reply>,
): WorkerThread<Message> {
  if (createWorker !== undefined) return useWorker(createWorker(), listeners);
  const threads = nodeModule('node:worker_threads');
  if (threads === undefined) throw new Error('outside of Node a thread needs createWorker');
  const isSource = from.endsWith('.ts');
  const file = new URL(`${module}${isSource ? '.ts' : '.js'}`, from);
  const worker = isSource
    ? new threads.Worker(FROM_SOURCES, { eval: true, workerData: file.href })
    : new threads.Worker(file);
  worker.on('message', (reply) => listeners.onReply(reply as Reply)); // Its code sends nothing else.
  worker.on('error', (error) => listeners.onFailure(error.message));
  worker.on('exit', (code) => listeners.onFailure(`it ended with code ${code}`));
  return {
    send: (message, transfer) => worker.postMessage(message, transfer),
    hold: (isNeeded) => (isNeeded ? worker.ref() : worker.unref()),
    async stop() {
      await worker.terminate();
    },
  };
}

function useWorker<Message, Reply>(
  worker: BrowserWorker,
  listeners: ThreadListeners<Reply>,
): WorkerThread<Message> {
  worker.onmessage = ({ data }: { data: Reply }) => listeners.onReply(data);
  worker.onerror = ({ message }: { message?: string }) =>
    listeners.onFailure(message ?? 'the browser did not load it');
  return {
    send: (message, transfer) => worker.postMessage(message, transfer),
    hold: () => {},
    stop: async () => worker.terminate(),
  };
}

/** Inside a thread: the way to the one that started it. */
export interface ThreadPort<Message, Reply> {
  /** Answers the thread that started this one. */
  postMessage(reply: Reply, transfer?: ArrayBuffer[]): void;
  /** Takes messages from now on. */
  listen(onMessage: (message: Message) => void): void;
}

/** The way to the thread that started this one, in Node and in browsers. */
export function openPort<Message, Reply>(): ThreadPort<Message, Reply> {
  const parentPort = nodeModule('node:worker_threads')?.parentPort;
  if (parentPort) {
    return {
      postMessage: (reply, transfer = []) => parentPort.postMessage(reply, transfer),
      // The thread that started this one sends nothing else.
      listen: (onMessage) => parentPort.on('message', (data) => onMessage(data as Message)),
    };
  }
  const scope = globalThis as unknown as {
    postMessage(reply: Reply, transfer: ArrayBuffer[]): void;
    onmessage: (event: { data: Message }) => void;
  };
  return {
    postMessage: (reply, transfer = []) => scope.postMessage(reply, transfer),
    listen(onMessage) {
      scope.onmessage = ({ data }) => onMessage(data);
    },
  };
}
