import type { Tensor } from '@firelight/tensor';

/** A number, one for each class, or a matrix. */
export type MetricValue = number | readonly number[] | readonly (readonly number[])[];

/** Something measured over all batches of an evaluation. */
export interface Metric {
  /** Forgets all batches. */
  reset(): void;
  /**
   * Takes a batch into account.
   *
   * @param logits the network's output, for classes `[N, C]`
   * @param labels what the data set gives: class numbers `[N]`, or probabilities `[N, C]`
   * @param loss the loss of the batch; null where there is no loss function
   */
  update(logits: Tensor, labels: Tensor, loss: number | null): void;
  /** What was measured since `reset`. */
  value(): MetricValue;
}
