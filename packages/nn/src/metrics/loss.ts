import { type Tensor, ValueError } from '@firelight/tensor';
import { asTensor } from '@firelight/tensor/extend';
import type { Metric } from './metric.ts';

/**
 * The mean loss of the samples: the losses of the batches, weighted by their sizes. NaN if that of a
 * batch is.
 */
export class Loss implements Metric {
  #sum = 0;
  #total = 0;

  reset(): void {
    this.#sum = 0;
    this.#total = 0;
  }

  /** @throws ValueError if there is no loss function */
  update(logits: Tensor, _labels: Tensor, loss: number | null): void {
    if (loss === null) {
      throw new ValueError(
        'Loss: there is no loss function; give the Model a lossFn, or leave the metric out',
      );
    }
    const [samples] = asTensor('Loss', 'logits', logits).shape;
    this.#sum += loss * samples;
    this.#total += samples;
  }

  value(): number {
    return this.#sum / this.#total;
  }
}
