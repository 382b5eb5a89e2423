import {
  Accuracy,
  ConfusionMatrix,
  F1,
  Loss,
  type Metric,
  Precision,
  Recall,
  TopK,
} from '@firelight/nn';
import { Generator, type Tensor, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const CLASSES = 4;

interface Predictions {
  readonly scores: number[][];
  readonly labels: number[];
}

/** Random logits, many of them equal, with labels. */
const predictions = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.nat())
  .map(([count, seed]): Predictions => {
    const generator = new Generator(seed);
    const scores = Array.from({ length: count }, () =>
      Array.from(generator.words(CLASSES), (word) => word % 3),
    );
    return { scores, labels: Array.from(generator.words(count), (word) => word % CLASSES) };
  });

const toTensors = ({ scores, labels }: Predictions): [Tensor, Tensor] => [
  tensor(scores),
  tensor(labels, { dtype: 'int32' }),
];

function measure(metric: Metric, ...batches: Predictions[]) {
  metric.reset();
  for (const batch of batches) metric.update(...toTensors(batch), 0);
  return metric.value();
}

const predictedOf = (scores: number[]): number => scores.indexOf(Math.max(...scores));

const all: [string, () => Metric][] = [
  ['Accuracy', () => new Accuracy()],
  ['TopK', () => new TopK(2)],
  ['ConfusionMatrix', () => new ConfusionMatrix()],
  ['Precision', () => new Precision({ average: 'none' })],
  ['Recall', () => new Recall()],
  ['F1', () => new F1()],
];

describe.each(all)('%s', (_, create) => {
  test('is the same in one batch as in several, and for probabilities as labels', () =>
    fc.assert(
      fc.property(predictions, predictions, (a, b) => {
        const together = {
          scores: [...a.scores, ...b.scores],
          labels: [...a.labels, ...b.labels],
        };
        const metric = create();
        const expected = measure(metric, together);
        expect(measure(metric, a, b)).toEqual(expected);
        metric.reset();
        const dense = together.labels.map((label) =>
          Array.from({ length: CLASSES }, (__, c) => Number(c === label)),
        );
        metric.update(tensor(together.scores), tensor(dense), 0);
        expect(metric.value()).toEqual(expected);
      }),
    ));

  test('refuses labels that do not fit', () => {
    const metric = create();
    expect(() => metric.update(tensor([[1, 2]]), tensor([2], { dtype: 'int32' }), 0)).toThrow(
      /label 2 is not one of 2 classes/,
    );
    expect(() => metric.update(tensor([[1, 2]]), tensor([1, 2, 3]), 0)).toThrow(
      /logits must be \[N, C\] and labels \[N\] or \[N, C\], got \[1, 2\] and \[3\]/,
    );
  });
});

test('accuracy and top k count as their definitions say', () =>
  fc.assert(
    fc.property(predictions, fc.integer({ min: 1, max: CLASSES }), (batch, k) => {
      const { scores, labels } = batch;
      const correct = scores.filter((row, i) => predictedOf(row) === labels[i]).length;
      expect(measure(new Accuracy(), batch)).toBe(correct / labels.length);
      const inTop = scores.filter((row, i) => {
        const order = row.map((_, c) => c).sort((a, b) => row[b] - row[a] || a - b);
        return order.slice(0, k).includes(labels[i]);
      }).length;
      expect(measure(new TopK(k), batch)).toBe(inTop / labels.length);
    }),
  ));

test('the confusion matrix has the truth in rows, and the others follow from it', () => {
  // Two of class 0 right and one taken for 1; one of class 1 right; nothing of class 2.
  const batch = {
    scores: [
      [9, 0, 0],
      [9, 0, 0],
      [0, 9, 0],
      [0, 9, 0],
    ],
    labels: [0, 0, 0, 1],
  };
  const expected = [
    [2, 1, 0],
    [0, 1, 0],
    [0, 0, 0],
  ];
  expect(measure(new ConfusionMatrix(), batch)).toEqual(expected);
  // As scikit-learn's precision_recall_fscore_support with zero_division=0.
  expect(measure(new Precision({ average: 'none' }), batch)).toEqual([1, 0.5, 0]);
  expect(measure(new Recall({ average: 'none' }), batch)).toEqual([2 / 3, 1, 0]);
  expect(measure(new F1({ average: 'none' }), batch)).toEqual([0.8, 2 / 3, 0]);
  expect(measure(new Precision(), batch)).toBeCloseTo(0.5, 12);
  const matrix = new ConfusionMatrix();
  measure(matrix, batch);
  expect(() => matrix.update(tensor([[1, 2]]), tensor([0], { dtype: 'int32' }))).toThrow(
    /a batch has 2 classes, those before had 3/,
  );
});

test('the loss is the mean over samples, not batches', () => {
  const metric = new Loss();
  const labels = tensor([0]);
  metric.update(tensor([[1], [1], [1]]), labels, 2);
  metric.update(tensor([[1]]), labels, 6);
  expect(metric.value()).toBe(3);
  expect(() => new TopK(0)).toThrow(/k must be an integer ≥ 1, got 0/);
});
