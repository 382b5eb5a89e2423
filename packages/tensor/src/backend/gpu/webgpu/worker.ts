// The thread that runs gpu.js in its mode 'webgpu', whose kernels answer with promises. The calling
// thread sleeps until its answer is there, so to it the device answers at once.
import { nodeModule } from '../../wasm/host.ts';
import { MAXIMUM_INDEX } from '../device.ts';
import { type GpuJs, loadGpuJs, type WebGpuBuffer } from '../gpu-js.ts';
import { type CachedKernel, KernelCache } from '../kernel-cache.ts';
import { texelCount } from '../programs/program.ts';
import { type AdapterInfo, rendererOfAdapter } from '../renderer.ts';
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

interface Navigator {
  readonly gpu?: { requestAdapter(): Promise<Adapter | null> };
}

const scope = globalThis as { navigator?: Navigator };

async function findAdapter(webgpuModule: string | null): Promise<Adapter> {
  if (webgpuModule !== null) {
    const module = (await import(/* @vite-ignore */ webgpuModule)) as WebGpuModule;
    Object.assign(globalThis, module.globals);
    const gpu = module.create([]);
    Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  }
  if (scope.navigator?.gpu === undefined) throw new Error('there is no navigator.gpu');
  const adapter = await scope.navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error('WebGPU is there, but no adapter (no GPU, or no driver)');
  return adapter;
}

/** A result, or why there is none. */
type Result =
  | { readonly buffer: WebGpuBuffer; readonly kernel: CachedKernel; readonly texels: number }
  | { readonly problem: string };

class Executor {
  readonly #lib: GpuJs;
  readonly #kernels: KernelCache;
  readonly #results = new Map<number, Result>();

  constructor(lib: GpuJs) {
    this.#lib = lib;
    this.#kernels = new KernelCache(new lib.GPU({ mode: 'webgpu' }));
  }

  async execute(order: Order): Promise<void> {
    switch (order.kind) {
      case 'run':
        this.#results.set(order.result, await this.#run(order));
        break;
      case 'read':
        await this.#read(order.array, order.reply);
        break;
      case 'free':
        this.#free(order.array);
        break;
      case 'finish':
        answer(order.reply, REPLY.done);
        break;
      default:
        order satisfies never;
    }
  }

  /** A problem is kept as the result: whoever reads it, or what is computed from it, learns of it. */
  async #run({ program, values }: Order & { kind: 'run' }): Promise<Result> {
    const inputs: unknown[] = [];
    for (const [i, value] of values.entries()) {
      if (typeof value !== 'number') {
        inputs.push(this.#lib.input(value, program.sizes[i] ?? [value.length]));
        continue;
      }
      const operand = this.#results.get(value);
      if (operand === undefined) return { problem: `'${program.name}': an operand was freed` };
      if ('problem' in operand) return operand;
      operand.buffer.output = [4, operand.texels];
      inputs.push(operand.buffer);
    }
    try {
      const kernel = this.#kernels.kernelFor(program);
      const buffer = (await kernel.call(...inputs)) as WebGpuBuffer; // A pipeline kernel's result.
      // gpu.js takes results of one number each only; the bytes are the same.
      buffer.componentCount = 1;
      kernel.resultsInUse++;
      return { buffer, kernel, texels: texelCount(program) };
    } catch (error) {
      return { problem: `gpu.js refuses '${program.name}': ${(error as Error).message}` };
    }
  }

  async #read(array: number, reply: SharedArrayBuffer): Promise<void> {
    const result = this.#results.get(array) ?? { problem: 'the array was freed' };
    let problem = 'problem' in result ? result.problem : null;
    if ('buffer' in result) {
      try {
        result.buffer.output = [4 * result.texels];
        const values = (await result.buffer.toArray()) as unknown as Float32Array; // One axis.
        new Float32Array(reply, REPLY_HEADER_BYTES, values.length).set(values);
      } catch (error) {
        problem = (error as Error).message;
      }
    }
    if (problem !== null) {
      const letters = new TextEncoder().encode(problem).subarray(0, MESSAGE_BYTES);
      new Uint8Array(reply, REPLY_HEADER_BYTES).set(letters);
      new Int32Array(reply, 0, 2)[1] = letters.length;
    }
    answer(reply, problem === null ? REPLY.done : REPLY.failed);
  }

  #free(array: number): void {
    const result = this.#results.get(array);
    this.#results.delete(array);
    if (result === undefined || 'problem' in result) return;
    result.kernel.resultsInUse--;
    result.buffer.delete();
  }
}

/** Wakes the calling thread. */
function answer(reply: SharedArrayBuffer, state: number): void {
  const states = new Int32Array(reply, 0, 1);
  Atomics.store(states, 0, state);
  Atomics.notify(states, 0);
}

async function setUp({ webgpuModule }: Setup): Promise<[SetupReply, Executor | null]> {
  try {
    const { limits, info = {} } = await findAdapter(webgpuModule);
    const lib = await loadGpuJs();
    const bytes = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
    const fitting = Math.floor(bytes / 16);
    const maxTexels = Math.min(fitting, MAXIMUM_INDEX);
    const limit =
      fitting < MAXIMUM_INDEX
        ? `buffers have at most ${bytes} bytes`
        : 'indices in a kernel are exact up to 2^24';
    return [{ ok: true, maxTexels, limit, ...rendererOfAdapter(info) }, new Executor(lib)];
  } catch (error) {
    return [{ ok: false, problem: (error as Error).message }, null];
  }
}

/** The other end, in the words of a browser's worker. */
interface Port {
  postMessage(message: SetupReply): void;
  listen(onMessage: (message: Setup | Order) => void): void;
}

function openPort(): Port {
  const parentPort = nodeModule('node:worker_threads')?.parentPort;
  if (parentPort) {
    return {
      postMessage: (message) => parentPort.postMessage(message),
      // The thread that started this one sends nothing else.
      listen: (onMessage) => parentPort.on('message', (data) => onMessage(data as Setup | Order)),
    };
  }
  const worker = globalThis as unknown as {
    postMessage: Port['postMessage'];
    onmessage: (event: { data: Setup | Order }) => void;
  };
  return {
    postMessage: (message) => worker.postMessage(message),
    listen(onMessage) {
      worker.onmessage = ({ data }) => onMessage(data);
    },
  };
}

const port = openPort();
let executor: Executor | null = null;
let last: Promise<void> = Promise.resolve();
port.listen((message) => {
  last = last.then(async () => {
    if ('kind' in message) await executor?.execute(message);
    else {
      const [reply, started] = await setUp(message);
      executor = started;
      port.postMessage(reply);
    }
  });
});
