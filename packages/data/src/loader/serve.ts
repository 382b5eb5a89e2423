import { openPort } from '@firelight/tensor/extend';
import type { BatchArrays, BatchTransform } from '../batch-transforms/batch-transform.ts';
import type { Dataset } from '../core/dataset.ts';
import type { Recipe } from '../core/recipe.ts';
import type { Transform } from '../transforms/transform.ts';
import { BatchMaker } from './batch-maker.ts';
import { build, type Offered } from './build.ts';
import {
  type BatchMemory,
  type BatchRequest,
  type Reply,
  transferOf,
  type WorkerSetup,
} from './messages.ts';

async function makerOf(
  { dataset, transform, batchTransforms }: WorkerSetup,
  offered: Offered,
): Promise<BatchMaker> {
  const make = (recipe: Recipe): Promise<unknown> => build(recipe, offered);
  return new BatchMaker(
    (await make(dataset)) as Dataset,
    transform === null ? (image) => image : ((await make(transform)) as Transform),
    (await Promise.all(batchTransforms.map(make))) as BatchTransform[],
  );
}

function allocate(bytes: number): ArrayBufferLike {
  return typeof SharedArrayBuffer === 'undefined'
    ? new ArrayBuffer(bytes)
    : new SharedArrayBuffer(bytes);
}

/** The arrays in `memory`, or in new memory if they do not fit. */
function store({ pixels, labels }: BatchArrays, memory: BatchMemory | null): BatchMemory {
  const place = (buffer: ArrayBufferLike | undefined, array: Float32Array | Int32Array) => {
    if (array.buffer === buffer) return buffer;
    const into =
      buffer !== undefined && buffer.byteLength >= array.byteLength
        ? buffer
        : allocate(array.byteLength);
    new Uint8Array(into).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    return into;
  };
  return { pixels: place(memory?.pixels, pixels), labels: place(memory?.labels, labels) };
}

async function answer(
  maker: Promise<BatchMaker>,
  { id, job, memory }: BatchRequest,
): Promise<Reply> {
  try {
    // A last batch that is smaller takes the front of the memory only after it is made.
    const target = memory === null ? undefined : new Float32Array(memory.pixels);
    const arrays = await (await maker).make(job, target);
    const { imageShape, labelShape, labels } = arrays;
    const hasProbabilities = labels instanceof Float32Array;
    return { id, memory: store(arrays, memory), imageShape, labelShape, hasProbabilities };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { id, error: { name, message } };
  }
}

/**
 * Makes batches for the thread that started this one, which says by its first message of what.
 *
 * @param offered the classes that recipes without a module name
 */
export function serve(offered: Offered): void {
  const port = openPort<WorkerSetup | BatchRequest, Reply>();
  let maker: Promise<BatchMaker> | undefined;
  let last: Promise<void> = Promise.resolve();
  port.listen((message) => {
    if (!('job' in message)) {
      maker = makerOf(message, offered);
      maker.catch(() => {}); // Every request reports it.
      return;
    }
    const making = maker ?? Promise.reject(new Error('no setup'));
    last = last.then(async () => {
      const reply = await answer(making, message);
      port.postMessage(reply, 'memory' in reply ? transferOf(reply.memory) : []);
    });
  });
}
