import { afterEach, expect, test, vi } from 'vitest';
import { PROBE, PROBE_VALUES } from '../../../../packages/tensor/src/backend/gpu/device/probe.ts';
import {
  type Order,
  REPLY,
  REPLY_HEADER_BYTES,
  type Setup,
} from '../../../../packages/tensor/src/backend/gpu/webgpu/messages.ts';
import type {
  GpuListeners,
  GpuThread,
} from '../../../../packages/tensor/src/backend/gpu/webgpu/thread.ts';
import { WorkerDevice } from '../../../../packages/tensor/src/backend/gpu/webgpu/worker-device.ts';

// The calling thread's side of WebGPU, with a thread that answers at once, late, wrong or never.

const LIMITS = { startMs: 50, readMs: 50, exitMs: 50, bytesOnTheWay: 100 };

type Answer = (order: Order & { reply: SharedArrayBuffer }) => void;

/** Puts a state, and perhaps a text, into the reply of an order. */
function reply(buffer: SharedArrayBuffer, state: number, text = ''): void {
  const letters = new TextEncoder().encode(text);
  new Uint8Array(buffer, REPLY_HEADER_BYTES).set(letters);
  const states = new Int32Array(buffer, 0, 2);
  states[1] = letters.length;
  Atomics.store(states, 0, state);
}

class FakeThread {
  readonly orders: (Setup | Order)[] = [];
  readonly stop = vi.fn();
  readonly hold = vi.fn();
  listeners: GpuListeners = { onReply() {}, onFailure() {} };
  answer: Answer = (order) => reply(order.reply, REPLY.done);
  readonly #isMute: boolean;

  constructor({ isMute = false } = {}) {
    this.#isMute = isMute;
  }

  readonly create = (_: unknown, listeners: GpuListeners): GpuThread => {
    this.listeners = listeners;
    return { send: (message) => this.#receive(message), hold: this.hold, stop: this.stop };
  };

  start(): Promise<WorkerDevice> {
    return WorkerDevice.start({ webgpuModule: 'none' }, this.create, LIMITS);
  }

  #receive(message: Setup | Order): void {
    this.orders.push(message);
    if (!('kind' in message)) {
      if (this.#isMute) return;
      const device = { renderer: 'fake', isHardware: true, maxTexels: 99, limit: 'none' };
      this.listeners.onReply({ ok: true, ...device });
    } else if ('reply' in message) this.answer(message);
  }
}

const exitListeners = process.listeners('exit');
afterEach(() => {
  // Those of the devices made here would wait for their threads.
  for (const listener of process.listeners('exit')) {
    if (!exitListeners.includes(listener)) process.off('exit', listener);
  }
});

test('reads what the thread has written', async () => {
  const thread = new FakeThread();
  const device = await thread.start();
  thread.answer = ({ reply: buffer }) => {
    reply(buffer, REPLY.done);
    new Float32Array(buffer, REPLY_HEADER_BYTES, 8).fill(5);
  };
  expect(device.read(device.run(PROBE, [PROBE_VALUES]))).toEqual(new Float32Array(8).fill(5));
  expect(device.problem).toBeNull();
});

test('a copy of what is sent goes, so that the caller may change it', async () => {
  const thread = new FakeThread();
  const device = await thread.start();
  const values = Float32Array.of(1, 2);
  device.run(PROBE, [values]);
  values.fill(9);
  expect(thread.orders.at(-1)).toMatchObject({ kind: 'run', values: [Float32Array.of(1, 2)] });
});

test('a failed order throws, and the device goes on', async () => {
  const thread = new FakeThread();
  const device = await thread.start();
  const array = device.run(PROBE, [PROBE_VALUES]);
  thread.answer = (order) => reply(order.reply, REPLY.failed, 'gpu.js refuses it');
  expect(() => device.read(array)).toThrow('gpu: gpu.js refuses it');
  thread.answer = (order) => reply(order.reply, REPLY.done);
  expect(device.read(array)).toHaveLength(8);
});

test('a broken device is not used again, and its thread ends', async () => {
  const thread = new FakeThread();
  const device = await thread.start();
  const array = device.run(PROBE, [PROBE_VALUES]);
  thread.answer = (order) => reply(order.reply, REPLY.broken, 'the device was lost');
  const message = "gpu: the device was lost; call setBackend('gpu') again, or use 'wasm'";
  expect(() => device.read(array)).toThrow(message);
  thread.answer = (order) => reply(order.reply, REPLY.done);
  expect(() => device.read(array)).toThrow(message);
  expect(() => device.run(PROBE, [PROBE_VALUES])).toThrow(message);
  expect(device.problem).toBe('the device was lost');
  expect(thread.stop).toHaveBeenCalled();
});

test('an answer that comes too late is never taken for another one', async () => {
  const thread = new FakeThread();
  const device = await thread.start();
  const array = device.run(PROBE, [PROBE_VALUES]);
  thread.answer = () => {};
  const message = "gpu: WebGPU gave no answer for 0.05 seconds; call setBackend('gpu') again";
  expect(() => device.read(array)).toThrow(message);
  thread.answer = (order) => reply(order.reply, REPLY.done);
  expect(() => device.read(array)).toThrow(message);
  expect(thread.stop).not.toHaveBeenCalled();
});

test('a thread that ends later makes the device fail', async () => {
  const thread = new FakeThread();
  const device = await thread.start();
  thread.listeners.onFailure('it ended with code 1');
  expect(() => device.run(PROBE, [PROBE_VALUES])).toThrow(
    'gpu: the thread with WebGPU is lost: it ended with code 1; call',
  );
});

test('a thread that does not answer at the start is stopped', async () => {
  const thread = new FakeThread({ isMute: true });
  await expect(thread.start()).rejects.toThrow(
    'the thread with WebGPU is lost: it does not answer',
  );
  expect(thread.stop).toHaveBeenCalled();
  expect(thread.hold).toHaveBeenCalledWith(false);
});

test('a thread that falls behind is waited for', async () => {
  const thread = new FakeThread();
  const device = await thread.start();
  const kinds = () => thread.orders.map((order) => ('kind' in order ? order.kind : 'setup'));
  for (let i = 0; i < 12; i++) device.run(PROBE, [PROBE_VALUES]); // 8 bytes each
  expect(kinds()).not.toContain('finish');
  device.run(PROBE, [PROBE_VALUES]);
  expect(kinds().filter((kind) => kind === 'finish')).toHaveLength(1);
  for (let i = 0; i < 12; i++) device.run(PROBE, [PROBE_VALUES]);
  expect(kinds().filter((kind) => kind === 'finish')).toHaveLength(1);
});
