import { type Tensor, ValueError } from '@firelight/tensor';
import type { Metric } from './metric.ts';

/** The mean loss of the samples: the losses of the batches, weighted by their sizes. */
export class Loss implements Metric {
  #sum = 0;
  #total = 0;

  reset(): void {
    this.#sum = 0;
    this.#total = 0;
  }

  /** @throws ValueError if there is no loss */
  update(logits: Tensor, _labels: Tensor, loss: number): void {
    if (Number.isNaN(loss)) {
      throw new ValueError(
        'Loss: the loss is NaN; give the Model a lossFn, or leave the metric out',
      );
    }
    this.#sum += loss * logits.shape[0];
    this.#total += logits.shape[0];
  }

  value(): number {
    return this.#sum / this.#total;
  }
}
