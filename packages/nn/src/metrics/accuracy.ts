import type { Tensor } from '@firelight/tensor';
import { expectInteger } from '@firelight/tensor/extend';
import { predictedClass, readClasses } from './classes.ts';
import { isAbove } from './compare.ts';
import type { Metric } from './metric.ts';

/**
 * The share of samples whose largest logit (the first on ties) is that of their class. NaN is less than
 * every number, and never right.
 */
export class Accuracy implements Metric {
  #correct = 0;
  #total = 0;

  reset(): void {
    this.#correct = 0;
    this.#total = 0;
  }

  update(logits: Tensor, labels: Tensor): void {
    const batch = readClasses('Accuracy', logits, labels);
    for (let i = 0; i < batch.count; i++) {
      if (predictedClass(batch, i) === batch.labels[i]) this.#correct++;
    }
    this.#total += batch.count;
  }

  value(): number {
    return this.#correct / this.#total;
  }
}

/**
 * The share of samples whose class is among the k with the largest logits. NaN is less than every
 * number, and never right.
 */
export class TopK implements Metric {
  readonly #k: number;
  #correct = 0;
  #total = 0;

  /** @throws ValueError if k is not an integer ≥ 1 */
  constructor(k = 5) {
    expectInteger('TopK', 'k', k, 1);
    this.#k = k;
  }

  reset(): void {
    this.#correct = 0;
    this.#total = 0;
  }

  update(logits: Tensor, labels: Tensor): void {
    const batch = readClasses('TopK', logits, labels);
    for (let i = 0; i < batch.count; i++) {
      const start = i * batch.numClasses;
      const label = batch.labels[i];
      const own = batch.logits[start + label];
      // Of equal logits the first counts as larger, as for the accuracy.
      let before = 0;
      for (let c = 0; c < batch.numClasses; c++) {
        const other = batch.logits[start + c];
        if (isAbove(other, own) || (other === own && c < label)) before++;
      }
      if (before < this.#k && !Number.isNaN(own)) this.#correct++;
    }
    this.#total += batch.count;
  }

  value(): number {
    return this.#correct / this.#total;
  }
}
