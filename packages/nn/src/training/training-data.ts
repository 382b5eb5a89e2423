import {
  DTypeError,
  type Generator,
  type GeneratorState,
  type Tensor,
  ValueError,
} from '@firelight/tensor';
import { asAnyTensor, asTensor } from '@firelight/tensor/extend';

/** Images (or other inputs) `[N, …]` and their labels. */
export type LabelledBatch =
  | { readonly image: Tensor; readonly label: Tensor }
  | readonly [image: Tensor, label: Tensor];

/**
 * Batches to train or test on: anything that can be iterated once for each epoch. What else a data
 * set offers makes the training better informed and resumable; those of `@firelight/data` offer all.
 */
export type TrainingData = (Iterable<LabelledBatch> | AsyncIterable<LabelledBatch>) & {
  /** Batches in one epoch of the data set. */
  readonly batchesPerEpoch?: number;
  /**
   * Epochs of the data set in one iteration; 1 by default. Each begins as an iteration of its own
   * would. An epoch of a training is an iteration, so it has `repeat · batchesPerEpoch` steps.
   */
  readonly repeat?: number;
  /** Decides order and augmentation of the epochs to come. */
  readonly generator?: Generator;
  /** An epoch without its first `batch` batches. Without this, a resume loads them and drops them. */
  from?(batch: number): Iterable<LabelledBatch> | AsyncIterable<LabelledBatch>;
  /** Reads what must be read before the rest can be asked for; called before a training. */
  load?(): Promise<unknown>;
};

/** What tells a training to end; an `AbortSignal` is one. */
export interface StopSignal {
  readonly aborted: boolean;
}

/**
 * The two tensors of a batch in either form.
 *
 * @throws DTypeError for what is no batch
 */
export function partsOf(batch: LabelledBatch): { image: Tensor; label: Tensor } {
  if (typeof batch !== 'object' || batch === null) {
    throw new DTypeError(
      'Model: a batch must be { image, label } or [image, label], ' +
        `got ${batch === null ? 'null' : typeof batch}`,
    );
  }
  const { image, label } = 'image' in batch ? batch : { image: batch[0], label: batch[1] };
  return {
    image: asTensor('Model', 'image of a batch', image),
    label: asAnyTensor('Model', 'label of a batch', label, 'int32'),
  };
}

/** Batches of an epoch if the data set says so; null if not. */
export function batchesPerEpoch(data: TrainingData): number | null {
  if (data.batchesPerEpoch !== undefined) return data.batchesPerEpoch;
  return Array.isArray(data) ? data.length : null;
}

/**
 * The error for a data set that gave no batch.
 *
 * @param gave what it gave earlier: an iterator that is used up is told from an empty data set
 */
export function noBatchError(op: string, data: TrainingData, gave: number): ValueError {
  if (gave === 0 && !isIterator(data)) {
    return new ValueError(`${op}: the data set gave no batch; see its size and batchSize`);
  }
  const used = gave === 0 ? 'is used up' : `is used up after ${gave} batches`;
  return new ValueError(
    `${op}: the data set ${used}, since it can be iterated only once, as a generator object; ` +
      'pass an object that begins anew whenever it is iterated: an array, or ' +
      '{ [Symbol.asyncIterator]: makeBatches } for a generator function makeBatches',
  );
}

/** Whether it is its own iterator, as generator objects are. */
function isIterator(data: TrainingData): boolean {
  const iterable = data as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  const iterator: unknown = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]?.();
  return iterator === data;
}

/** State of the data set's generator, if it has one. */
export function stateOf(data: TrainingData): GeneratorState | null {
  return data.generator?.state() ?? null;
}

/** Lets timers, signals and finalizers run, which awaiting ready promises does not. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
