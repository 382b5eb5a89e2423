import { BackendError } from '../../../core/errors.ts';
import type { BackendOptions } from '../../backend.ts';
import { atExit, isNode, maySleep } from '../../host.ts';
import {
  type Device,
  type DeviceArray,
  type DeviceDescription,
  nextDeviceId,
} from '../device/device.ts';
import { type Program, texelCount } from '../programs/program.ts';
import {
  MESSAGE_BYTES,
  type Operand,
  type Order,
  REPLY,
  REPLY_HEADER_BYTES,
  type SetupReply,
} from './messages.ts';
import { type GpuListeners, type GpuThread, startGpuThread } from './thread.ts';

/** Bounds of what the calling thread puts up with. */
const LIMITS = {
  /** Longer than these the thread is taken for lost; a first read may wait for many compilations. */
  startMs: 60_000,
  readMs: 300_000,
  exitMs: 5_000,
  /** After so many bytes the thread has to catch up, so that they do not pile up between the two. */
  bytesOnTheWay: 2 ** 28,
};

/** Texels in a buffer of the other thread. */
class WorkerArray implements DeviceArray {
  readonly texels: number;
  readonly number: number;

  constructor(texels: number, number: number) {
    this.texels = texels;
    this.number = number;
  }
}

function messageIn(reply: SharedArrayBuffer): string {
  const [, length] = new Int32Array(reply, 0, 2);
  // Texts are not decoded from shared memory.
  return new TextDecoder().decode(new Uint8Array(reply, REPLY_HEADER_BYTES, length).slice());
}

/** Why the calling thread cannot use WebGPU; null if it may try. */
export function whyNotWebGpu({ webgpuModule, createWorker }: BackendOptions): string | null {
  if (!maySleep()) return 'the main thread of a page may not wait for it: train in a worker';
  if (typeof SharedArrayBuffer === 'undefined') {
    return 'the page is not cross-origin isolated (headers COOP and COEP)';
  }
  if (isNode()) {
    if (webgpuModule !== undefined) return null;
    return (
      "in Node it needs the option webgpuModule: import.meta.resolve('webgpu'), after npm install " +
      'webgpu'
    );
  }
  if (createWorker !== undefined) return null;
  return (
    'in a browser it needs the option createWorker, since only your bundler knows where the code ' +
    'of its worker is; see the README of @firelight/tensor'
  );
}

function lost(reason: string): string {
  return `the thread with WebGPU is lost: ${reason}`;
}

/**
 * gpu.js in its mode `webgpu`, which answers with promises, in a thread of its own: orders are sent
 * and carried out in turn, and reading sleeps until the answer is there. So operations stay
 * synchronous, and the GPU computes while the calling thread prepares the next order.
 */
export class WorkerDevice implements Device {
  readonly id = nextDeviceId();
  readonly description: DeviceDescription;
  readonly dialect = 'buffer';
  readonly maxTexels: number;
  readonly limit: string;
  /** Workgroups of one plane each; WebGPU has at most so many along an axis. */
  readonly maxPlanes = 65_535;
  readonly #thread: GpuThread;
  readonly #limits: typeof LIMITS;
  #problem: string | null = null;
  /** Memory for answers; it grows with the largest. */
  #reply = new SharedArrayBuffer(REPLY_HEADER_BYTES + MESSAGE_BYTES);
  #arrays = 0;
  #bytesOnTheWay = 0;

  private constructor(thread: GpuThread, reply: SetupReply & { ok: true }, limits: typeof LIMITS) {
    this.#thread = thread;
    this.#limits = limits;
    this.maxTexels = reply.maxTexels;
    this.limit = reply.limit;
    const { renderer, isHardware } = reply;
    this.description = { mode: 'webgpu', renderer, isHardware };
  }

  /**
   * @param createThread what starts the thread
   * @throws BackendError if there is no WebGPU, with the reason
   */
  static async start(
    { webgpuModule, createWorker }: BackendOptions,
    createThread: typeof startGpuThread = startGpuThread,
    limits = LIMITS,
  ): Promise<WorkerDevice> {
    const listeners: GpuListeners = { onReply() {}, onFailure() {} };
    const thread = createThread(createWorker, listeners);
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const reply = await new Promise<SetupReply>((resolve, reject) => {
        listeners.onReply = resolve;
        listeners.onFailure = (reason) => reject(new BackendError(lost(reason)));
        timer = setTimeout(() => listeners.onFailure('it does not answer'), limits.startMs);
        thread.send({ webgpuModule: webgpuModule ?? null }, []);
      });
      if (!reply.ok) throw new BackendError(reply.problem);
      const device = new WorkerDevice(thread, reply, limits);
      listeners.onFailure = (reason) => device.#fail(lost(reason));
      // The package 'webgpu' aborts the process if it ends during a call.
      atExit(() => device.#finish(limits.exitMs));
      return device;
    } catch (error) {
      void thread.stop();
      throw error;
    } finally {
      clearTimeout(timer);
      thread.hold(false); // Who waits for it later does so asleep.
    }
  }

  get problem(): string | null {
    return this.#problem;
  }

  run(program: Program, values: readonly (DeviceArray | Float32Array)[]): DeviceArray {
    this.#expectThread();
    const transfer: ArrayBuffer[] = [];
    const operands = values.map((value): Operand => {
      if (!(value instanceof Float32Array)) return (value as WorkerArray).number; // As made here.
      const copy = new Float32Array(value); // Whoever holds the array may change it meanwhile.
      transfer.push(copy.buffer);
      this.#bytesOnTheWay += copy.byteLength;
      return copy;
    });
    const result = new WorkerArray(texelCount(program), this.#arrays++);
    this.#thread.send({ kind: 'run', program, values: operands, result: result.number }, transfer);
    if (this.#bytesOnTheWay > this.#limits.bytesOnTheWay) this.#finish(this.#limits.readMs);
    return result;
  }

  read(array: DeviceArray): Float32Array {
    const { number, texels } = array as WorkerArray; // As made here.
    const bytes = REPLY_HEADER_BYTES + Math.max(16 * texels, MESSAGE_BYTES);
    if (this.#reply.byteLength < bytes) this.#reply = new SharedArrayBuffer(bytes);
    const reply = this.#reply;
    const state = this.#ask({ kind: 'read', array: number, reply }, this.#limits.readMs);
    this.#expectThread();
    if (state === REPLY.failed) throw new BackendError(`gpu: ${messageIn(reply)}`);
    return new Float32Array(reply, REPLY_HEADER_BYTES, 4 * texels).slice();
  }

  free(array: DeviceArray): void {
    this.#thread.send({ kind: 'free', array: (array as WorkerArray).number }, []); // As made here.
  }

  /** Makes all that follows fail. */
  #fail(problem: string): void {
    this.#problem ??= problem;
  }

  /** Waits until all that was ordered is done. */
  #finish(milliseconds: number): void {
    this.#ask({ kind: 'finish', reply: this.#reply }, milliseconds);
  }

  #expectThread(): void {
    if (this.#problem === null) return;
    throw new BackendError(`gpu: ${this.#problem}; call setBackend('gpu') again, or use 'wasm'`);
  }

  /** Sends an order and sleeps until its reply has a state; without one the thread is lost. */
  #ask(order: Order & { readonly reply: SharedArrayBuffer }, milliseconds: number): number {
    if (this.#problem !== null) return REPLY.failed;
    const states = new Int32Array(order.reply, 0, 1);
    Atomics.store(states, 0, REPLY.pending);
    this.#thread.send(order, []);
    Atomics.wait(states, 0, REPLY.pending, milliseconds);
    this.#bytesOnTheWay = 0;
    const state = Atomics.load(states, 0);
    if (state === REPLY.broken) {
      this.#fail(messageIn(order.reply));
      void this.#thread.stop();
    }
    if (state === REPLY.pending) {
      // A late answer would be taken for that of the next order. The thread is left alone: the
      // package 'webgpu' aborts the process if it is stopped during a call.
      this.#fail(`WebGPU gave no answer for ${milliseconds / 1000} seconds`);
    }
    return state;
  }
}
