// The thread that runs gpu.js in its mode 'webgpu', whose kernels answer with promises. The calling
// thread sleeps until its answer is there, so to it the device answers at once.
import { atExit, onUncaught } from '../../host.ts';
import { openPort } from '../../worker-thread.ts';
import { MAXIMUM_INDEX } from '../device/device.ts';
import { loadGpuJs } from '../device/gpu-js.ts';
import { type AdapterInfo, rendererOfAdapter } from '../device/renderer.ts';
import { Executor } from './executor.ts';
import {
  MESSAGE_BYTES,
  type Order,
  REPLY,
  REPLY_HEADER_BYTES,
  type Setup,
  type SetupReply,
} from './messages.ts';

/** What is used of WebGPU itself. */
interface Adapter {
  readonly info?: AdapterInfo;
  readonly limits: { readonly maxStorageBufferBindingSize: number; readonly maxBufferSize: number };
}

interface WebGpuModule {
  readonly globals?: object;
  create(flags: readonly string[]): { requestAdapter(): Promise<Adapter | null> };
}

interface NavigatorWithGpu {
  readonly gpu?: { requestAdapter(): Promise<Adapter | null> };
}

const scope = globalThis as { navigator?: NavigatorWithGpu };

async function findAdapter(webgpuModule: string | null): Promise<Adapter> {
  if (webgpuModule !== null) {
    const module = (await import(
      /* @vite-ignore */ /* webpackIgnore: true */ webgpuModule
    )) as WebGpuModule;
    Object.assign(globalThis, module.globals);
    const gpu = module.create([]);
    Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  }
  if (scope.navigator?.gpu === undefined) throw new Error('there is no navigator.gpu');
  const adapter = await scope.navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error('WebGPU is there, but no adapter (no GPU, or no driver)');
  return adapter;
}

let executor: Executor | null = null;

async function setUp({ webgpuModule }: Setup): Promise<SetupReply> {
  try {
    const { limits, info = {} } = await findAdapter(webgpuModule);
    executor = new Executor(await loadGpuJs());
    const problem = await executor.probe();
    if (problem !== null) return { ok: false, problem };
    const bytes = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
    const fitting = Math.floor(bytes / 16);
    const maxTexels = Math.min(fitting, MAXIMUM_INDEX);
    const limit =
      fitting < MAXIMUM_INDEX
        ? `buffers have at most ${bytes} bytes`
        : 'indices in a kernel are exact up to 2^24';
    return { ok: true, maxTexels, limit, ...rendererOfAdapter(info) };
  } catch (error) {
    return { ok: false, problem: (error as Error).message };
  }
}

/** The reply that the calling thread waits for, if it does. */
let awaited: SharedArrayBuffer | null = null;

/** Wakes the calling thread, with numbers, a problem, or nothing. */
function answer(reply: SharedArrayBuffer, content: Float32Array | string | null): void {
  awaited = null;
  const states = new Int32Array(reply, 0, 2);
  const problem = executor?.problem ?? (typeof content === 'string' ? content : null);
  if (problem !== null) {
    const letters = new TextEncoder().encode(problem).subarray(0, MESSAGE_BYTES);
    new Uint8Array(reply, REPLY_HEADER_BYTES).set(letters);
    states[1] = letters.length;
  } else if (content instanceof Float32Array) {
    new Float32Array(reply, REPLY_HEADER_BYTES, content.length).set(content);
  }
  const isBroken = (executor?.problem ?? null) !== null;
  Atomics.store(states, 0, isBroken ? REPLY.broken : problem === null ? REPLY.done : REPLY.failed);
  Atomics.notify(states, 0);
}

async function execute(order: Order): Promise<void> {
  switch (order.kind) {
    case 'run':
      await executor?.run(order.program, order.values, order.result);
      break;
    case 'read':
      awaited = order.reply;
      answer(order.reply, (await executor?.read(order.array)) ?? null);
      break;
    case 'free':
      executor?.free(order.array);
      break;
    case 'finish':
      answer(order.reply, null);
      break;
    default:
      order satisfies never;
  }
}

/** Lets nobody wait for a thread that cannot go on. */
function giveUp(problem: string): void {
  executor?.fail(problem);
  if (awaited !== null) answer(awaited, problem);
}

// A promise of WebGPU or gpu.js that fails unseen must not end the thread: the other one would sleep.
onUncaught((error) => giveUp(`WebGPU failed: ${error.message}`));
atExit(() => giveUp('the thread with WebGPU has ended'));

const port = openPort<Setup | Order, SetupReply>();
let last: Promise<void> = Promise.resolve();
port.listen((message) => {
  last = last
    .then(async () => {
      if ('kind' in message) await execute(message);
      else port.postMessage(await setUp(message));
    })
    .catch((error: Error) => giveUp(error.message));
});
