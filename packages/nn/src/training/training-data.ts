import {
  asTensor,
  DTypeError,
  type Generator,
  type GeneratorState,
  type Tensor,
} from '@firelight/tensor';

/** Images (or other inputs) `[N, …]` and their labels. */
export type LabelledBatch =
  | { readonly image: Tensor; readonly label: Tensor }
  | readonly [image: Tensor, label: Tensor];

/**
 * Batches to train or test on: anything that can be iterated once for each epoch. What else a data
 * set offers makes the training better informed and resumable; those of `@firelight/data` offer all.
 */
export type TrainingData = (Iterable<LabelledBatch> | AsyncIterable<LabelledBatch>) & {
  /** Batches in one epoch. */
  readonly batchesPerEpoch?: number;
  /** Decides order and augmentation of the epochs to come. */
  readonly generator?: Generator;
  /** An epoch without its first `batch` batches. Without this, a resume loads them and drops them. */
  from?(batch: number): Iterable<LabelledBatch> | AsyncIterable<LabelledBatch>;
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
    label: asTensor('Model', 'label of a batch', label, 'int32'),
  };
}

/** Batches of an epoch if the data set says so; null if not. */
export function batchesPerEpoch(data: TrainingData): number | null {
  if (data.batchesPerEpoch !== undefined) return data.batchesPerEpoch;
  return Array.isArray(data) ? data.length : null;
}

/** State of the data set's generator, if it has one. */
export function stateOf(data: TrainingData): GeneratorState | null {
  return data.generator?.state() ?? null;
}

/** The batches of one epoch but the first `skipped`. */
export async function* epochOf(
  data: TrainingData,
  skipped: number,
): AsyncGenerator<LabelledBatch, void, undefined> {
  if (skipped === 0 || data.from !== undefined) {
    yield* skipped === 0 ? data : (data.from?.(skipped) ?? []);
    return;
  }
  let index = 0;
  for await (const batch of data) {
    if (index++ >= skipped) yield batch;
  }
}

/** Lets timers, signals and finalizers run, which awaiting ready promises does not. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
