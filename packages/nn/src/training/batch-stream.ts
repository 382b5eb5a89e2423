import type { GeneratorState } from '@firelight/tensor';
import {
  batchesPerEpoch,
  type LabelledBatch,
  noBatchError,
  stateOf,
  type TrainingData,
} from './training-data.ts';

/** Where in a data set a training is. */
export interface DataPosition {
  /**
   * State of the data set's generator when its present epoch began, and as it is now; null without a
   * generator, and `now` also where a file of the first version does not tell.
   */
  readonly begin: GeneratorState | null;
  readonly now: GeneratorState | null;
  /** Batches of that epoch that were taken. */
  readonly batch: number;
}

/** The batches of a data set, iterated again and again, and the position among them. */
export class BatchStream {
  readonly #data: TrainingData;
  /** Batches after which a repeating data set begins anew within its iteration. */
  readonly #epochLength: number | null;
  #batches: AsyncGenerator<LabelledBatch, void, undefined> | null = null;
  #begin: GeneratorState | null = null;
  #isNowKnown = true;
  #batch = 0;
  /** Whether the present iteration has given nothing yet. */
  #isFresh = true;
  /** Batches given so far. */
  #gave = 0;

  constructor(data: TrainingData) {
    this.#data = data;
    const { repeat = 1 } = data;
    this.#epochLength = repeat > 1 ? batchesPerEpoch(data) : null;
  }

  position(): DataPosition {
    const now = stateOf(this.#data);
    // An epoch that has not begun takes the generator as it will be then.
    return { begin: this.#batch === 0 ? now : this.#begin, now, batch: this.#batch };
  }

  /** Goes on from a position of an earlier stream; the generator is as it was `now`. */
  restore({ begin, now, batch }: DataPosition): void {
    this.#begin = begin;
    this.#isNowKnown = now !== null;
    this.#batch = batch;
  }

  /**
   * The next batch; null where an iteration ends, after which the next one begins.
   *
   * @throws ValueError if an iteration gives no batch
   */
  async next(): Promise<LabelledBatch | null> {
    if (this.#batch === 0) this.#begin = stateOf(this.#data);
    const { done, value } =
      this.#batches === null ? await this.#iterate() : await this.#batches.next();
    if (done === true) {
      if (this.#isFresh) throw noBatchError('Model.train', this.#data, this.#gave);
      this.#batches = null;
      this.#batch = 0;
      return null;
    }
    this.#isFresh = false;
    this.#gave++;
    this.#batch++;
    if (this.#batch === this.#epochLength) this.#batch = 0;
    return value;
  }

  /** Begins an iteration, or what is left of one, and takes its first batch. */
  #iterate(): Promise<IteratorResult<LabelledBatch, void>> {
    this.#isFresh = this.#batch === 0;
    if (!this.#isFresh) return this.#goOn(this.#batch);
    this.#batches = iterate(this.#data);
    return this.#batches.next();
  }

  /** The first batch of an iteration after those that were taken before the training was saved. */
  async #goOn(taken: number): Promise<IteratorResult<LabelledBatch, void>> {
    const { generator } = this.#data;
    const rest = this.#data.from?.(taken);
    const batches = iterate(rest ?? this.#data);
    this.#batches = batches;
    // Others may have drawn from the generator since the epoch began, such as an evaluation.
    const now = this.#isNowKnown ? stateOf(this.#data) : null;
    if (this.#begin !== null) generator?.restore(this.#begin);
    // Without `from`, those that were taken are loaded and dropped.
    const dropped = rest === undefined ? taken : 0;
    for (let batch = 0; batch < dropped; batch++) await batches.next();
    const first = dropped > 0 ? null : await batches.next();
    if (now !== null) generator?.restore(now);
    return first ?? batches.next();
  }

  /** Ends the iteration, and so the threads that load for it. */
  async close(): Promise<void> {
    await this.#batches?.return();
  }
}

async function* iterate(
  batches: Iterable<LabelledBatch> | AsyncIterable<LabelledBatch>,
): AsyncGenerator<LabelledBatch, void, undefined> {
  yield* batches;
}
