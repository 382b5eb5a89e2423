import { BackendError } from '../../../core/errors.ts';
import type { BackendOptions } from '../../backend.ts';
import { atExit, maySleep } from '../../wasm/host.ts';
import { type Device, type DeviceArray, type DeviceDescription, nextDeviceId } from '../device.ts';
import { type Program, texelCount } from '../programs/program.ts';
import {
  MESSAGE_BYTES,
  type Operand,
  type Order,
  REPLY,
  REPLY_HEADER_BYTES,
  type SetupReply,
} from './messages.ts';
import { type GpuThread, startThread } from './thread.ts';

/** A first call may compile many kernels; longer than this means that the thread is gone. */
const LONGEST_WAIT_MS = 300_000;
const LONGEST_WAIT_AT_EXIT_MS = 5_000;

/** Texels in a buffer of the other thread. */
class WorkerArray implements DeviceArray {
  readonly texels: number;
  readonly number: number;

  constructor(texels: number, number: number) {
    this.texels = texels;
    this.number = number;
  }
}

function promiseParts<Value>() {
  let resolve: (value: Value) => void = () => {};
  let reject: (reason: Error) => void = () => {};
  const promise = new Promise<Value>((onValue, onReason) => {
    resolve = onValue;
    reject = onReason;
  });
  return { promise, resolve, reject };
}

/** Why the calling thread cannot use WebGPU; null if it may try. */
export function whyNotWebGpu({ webgpuModule, createWorker }: BackendOptions): string | null {
  if (!maySleep()) {
    return 'the main thread of a page may not wait for it: train in a worker';
  }
  if (typeof SharedArrayBuffer === 'undefined') {
    return 'the page is not cross-origin isolated (headers COOP and COEP)';
  }
  if (webgpuModule === undefined && createWorker === undefined) {
    return (
      "in Node it needs the option webgpuModule: import.meta.resolve('webgpu') after npm install " +
      'webgpu, in a browser the option createWorker'
    );
  }
  return null;
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
  readonly maxPlanes = 65_535;
  readonly limit: string;
  readonly #thread: GpuThread;
  /** Memory for answers; it grows with the largest. */
  #reply = new SharedArrayBuffer(REPLY_HEADER_BYTES + MESSAGE_BYTES);
  #arrays = 0;

  private constructor(thread: GpuThread, reply: SetupReply & { ok: true }) {
    this.#thread = thread;
    this.maxTexels = reply.maxTexels;
    this.limit = reply.limit;
    this.description = {
      mode: 'webgpu',
      kernelClass: 'WebGPUKernel',
      renderer: reply.renderer,
      isHardware: reply.isHardware,
    };
  }

  /** @throws BackendError if there is no WebGPU, with the reason */
  static async start(options: BackendOptions): Promise<WorkerDevice> {
    const { promise, resolve, reject } = promiseParts<SetupReply>();
    const thread = startThread(options.createWorker, {
      onReply: resolve,
      onFailure: (reason) => reject(new BackendError(`its thread failed: ${reason}`)),
    });
    thread.hold(true);
    thread.send({ webgpuModule: options.webgpuModule ?? null }, []);
    const reply = await promise;
    thread.hold(false);
    if (reply.ok) {
      const device = new WorkerDevice(thread, reply);
      // The package 'webgpu' aborts the process if it ends amid a call.
      atExit(() => device.#finish());
      return device;
    }
    thread.stop();
    throw new BackendError(reply.problem);
  }

  run(program: Program, values: readonly (DeviceArray | Float32Array)[]): DeviceArray {
    const transfer: ArrayBuffer[] = [];
    const operands = values.map((value): Operand => {
      if (!(value instanceof Float32Array)) return (value as WorkerArray).number; // As made here.
      const copy = new Float32Array(value); // Whoever holds the array may change it meanwhile.
      transfer.push(copy.buffer);
      return copy;
    });
    const result = new WorkerArray(texelCount(program), this.#arrays++);
    this.#thread.send({ kind: 'run', program, values: operands, result: result.number }, transfer);
    return result;
  }

  read(array: DeviceArray): Float32Array {
    const { number, texels } = array as WorkerArray; // As made here.
    const bytes = REPLY_HEADER_BYTES + Math.max(16 * texels, MESSAGE_BYTES);
    if (this.#reply.byteLength < bytes) this.#reply = new SharedArrayBuffer(bytes);
    const reply = this.#reply;
    const state = this.#ask({ kind: 'read', array: number, reply }, LONGEST_WAIT_MS);
    if (state === REPLY.pending) {
      throw new BackendError(
        `gpu: WebGPU gave no answer for ${LONGEST_WAIT_MS / 1000} seconds; use 'wasm'`,
      );
    }
    if (state === REPLY.failed) {
      const [, length] = new Int32Array(reply, 0, 2);
      const letters = new Uint8Array(reply, REPLY_HEADER_BYTES, length).slice();
      throw new BackendError(`gpu: ${new TextDecoder().decode(letters)}`);
    }
    return new Float32Array(this.#reply, REPLY_HEADER_BYTES, 4 * texels).slice();
  }

  free(array: DeviceArray): void {
    this.#thread.send({ kind: 'free', array: (array as WorkerArray).number }, []); // As made here.
  }

  #finish(): void {
    this.#ask({ kind: 'finish', reply: this.#reply }, LONGEST_WAIT_AT_EXIT_MS);
  }

  /** Sends an order and sleeps until its reply has a state; it stays pending if none comes. */
  #ask(order: Order & { readonly reply: SharedArrayBuffer }, milliseconds: number): number {
    const states = new Int32Array(order.reply, 0, 1);
    Atomics.store(states, 0, REPLY.pending);
    this.#thread.send(order, []);
    Atomics.wait(states, 0, REPLY.pending, milliseconds);
    return Atomics.load(states, 0);
  }
}
