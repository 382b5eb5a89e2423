import { ShapeError, type Tensor } from '@firelight/tensor';
import { predictedClass, readClasses } from './classes.ts';
import type { Metric, MetricValue } from './metric.ts';

/**
 * How many samples of each class (row) were taken for each class (column). A sample with nothing but NaN
 * counts in the first column that is wrong for it.
 */
export class ConfusionMatrix implements Metric {
  #counts: number[][] = [];

  reset(): void {
    this.#counts = [];
  }

  /** @throws ShapeError if a batch has another number of classes than those before */
  update(logits: Tensor, labels: Tensor): void {
    const batch = readClasses('ConfusionMatrix', logits, labels);
    const { numClasses } = batch;
    if (this.#counts.length === 0) {
      this.#counts = Array.from({ length: numClasses }, () => new Array(numClasses).fill(0));
    }
    if (this.#counts.length !== numClasses) {
      throw new ShapeError(
        `ConfusionMatrix: a batch has ${numClasses} classes, those before had ${this.#counts.length}`,
      );
    }
    for (let i = 0; i < batch.count; i++) {
      const predicted = predictedClass(batch, i);
      if (predicted < numClasses) this.#counts[batch.labels[i]][predicted]++;
    }
  }

  value(): number[][] {
    return this.#counts.map((row) => [...row]);
  }
}

/** What becomes of the values of the classes: their plain mean, or all of them. */
export interface AverageOptions {
  readonly average?: 'macro' | 'none';
}

/** @deprecated Use `AverageOptions`. */
export type AverageOption = AverageOptions;

/** Base of metrics that are computed from the counts of each class. */
abstract class ClassMetric implements Metric {
  readonly #matrix = new ConfusionMatrix();
  readonly #average: 'macro' | 'none';

  constructor({ average = 'macro' }: AverageOptions = {}) {
    this.#average = average;
  }

  reset(): void {
    this.#matrix.reset();
  }

  update(logits: Tensor, labels: Tensor): void {
    this.#matrix.update(logits, labels);
  }

  value(): MetricValue {
    const counts = this.#matrix.value();
    const values = counts.map((row, label) => {
      const actual = row.reduce((sum, count) => sum + count, 0);
      const predicted = counts.reduce((sum, other) => sum + other[label], 0);
      return this.ofClass(row[label], actual, predicted);
    });
    if (this.#average === 'none') return values;
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  }

  /** @param correct samples of the class that were taken for it */
  protected abstract ofClass(correct: number, actual: number, predicted: number): number;
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** Of the samples taken for a class, the share that is of it; 0 where none was. */
export class Precision extends ClassMetric {
  protected ofClass(correct: number, _actual: number, predicted: number): number {
    return share(correct, predicted);
  }
}

/** Of the samples of a class, the share that was taken for it; 0 where there is none. */
export class Recall extends ClassMetric {
  protected ofClass(correct: number, actual: number): number {
    return share(correct, actual);
  }
}

/** F₁ = 2 · precision · recall / (precision + recall) = 2 · correct / (actual + predicted). */
export class F1 extends ClassMetric {
  protected ofClass(correct: number, actual: number, predicted: number): number {
    return share(2 * correct, actual + predicted);
  }
}
