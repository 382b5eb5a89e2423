import { type BrowserWorker, ShapeError, ValueError } from '@firelight/tensor';
import { elementCount } from '@firelight/tensor/extend';
import type { BatchArrays } from '../batch-transforms/batch-transform.ts';
import { DataError } from '../core/errors.ts';
import type { Job } from './batch-maker.ts';
import { type BatchMemory, type Reply, transferOf, type WorkerSetup } from './messages.ts';
import { type LoaderThread, startLoaderThread } from './thread.ts';

/** A batch in memory of the pool, which goes back to it with `release`. */
export interface LoanedBatch {
  readonly arrays: BatchArrays;
  release(): void;
}

interface PoolMember {
  readonly index: number;
  readonly thread: LoaderThread;
  waiting: number;
}

interface Pending {
  readonly worker: PoolMember;
  resolve(batch: LoanedBatch): void;
  reject(error: Error): void;
}

const ERRORS: Readonly<Record<string, new (message: string) => Error>> = {
  DataError,
  ShapeError,
  ValueError,
};

/** Worker threads that make batches, and the memory that they write them into. */
export class LoaderPool {
  readonly #workers: PoolMember[] = [];
  readonly #pending = new Map<number, Pending>();
  /** Memory of batches that were taken; never more than batches were under way at once. */
  readonly #free: BatchMemory[] = [];
  #nextId = 0;
  #failure: DataError | null = null;

  static start(
    count: number,
    setup: WorkerSetup,
    createWorker: (() => BrowserWorker) | undefined,
  ): LoaderPool {
    const pool = new LoaderPool();
    for (let index = 0; index < count; index++) {
      const thread = startLoaderThread(createWorker, {
        onReply: (reply) => pool.#receive(reply),
        onFailure: (reason) => pool.#fail(index, reason),
      });
      thread.send(setup, []);
      pool.#workers.push({ index, thread, waiting: 0 });
    }
    return pool;
  }

  /** Has a batch made by the thread that has least to do. */
  load(job: Job): Promise<LoanedBatch> {
    const batch = this.#failure === null ? this.#send(job) : Promise.reject(this.#failure);
    batch.catch(() => {}); // It is reported when its turn comes, if it does.
    return batch;
  }

  /** Ends the threads, whatever they are at. */
  async close(): Promise<void> {
    this.#failure = new DataError('batches: the loader is closed');
    this.#pending.clear();
    await Promise.all(this.#workers.map(({ thread }) => thread.stop()));
  }

  #send(job: Job): Promise<LoanedBatch> {
    const worker = this.#workers.reduce((a, b) => (b.waiting < a.waiting ? b : a));
    const id = this.#nextId++;
    const memory = this.#free.pop() ?? null;
    worker.waiting++;
    worker.thread.hold(true);
    const batch = new Promise<LoanedBatch>((resolve, reject) => {
      this.#pending.set(id, { worker, resolve, reject });
    });
    worker.thread.send({ id, job, memory }, transferOf(memory));
    return batch;
  }

  #receive(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    this.#pending.delete(reply.id);
    const { worker, resolve, reject } = pending;
    worker.waiting--;
    if (worker.waiting === 0) worker.thread.hold(false);
    if ('error' in reply) {
      const { name, message } = reply.error;
      const known = Object.hasOwn(ERRORS, name);
      reject(known ? new ERRORS[name](message) : new DataError(`batches: ${name}: ${message}`));
      return;
    }
    const { memory, imageShape, labelShape, hasProbabilities } = reply;
    const labelCount = elementCount(labelShape);
    const arrays: BatchArrays = {
      pixels: new Float32Array(memory.pixels, 0, elementCount(imageShape)),
      imageShape,
      labels: hasProbabilities
        ? new Float32Array(memory.labels, 0, labelCount)
        : new Int32Array(memory.labels, 0, labelCount),
      labelShape,
    };
    resolve({ arrays, release: () => void this.#free.push(memory) });
  }

  /** Batches that other threads are making still come; none is ordered any more. */
  #fail(index: number, reason: string): void {
    this.#failure ??= new DataError(`batches: a worker thread failed: ${reason}`);
    for (const [id, { worker, reject }] of this.#pending) {
      if (worker.index !== index) continue;
      this.#pending.delete(id);
      reject(this.#failure);
    }
  }
}
