import { SoftmaxCrossEntropyWithLogits } from '@firelight/nn';
import { oneHot, ShapeError, softmax, type Tensor, tensor, ValueError } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { expectClose, expectValues } from '../../helpers/close.ts';

const logits = [
  [3, 5, 6, 9, 12, 33, 42, 12, 32, 72],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
];
const labels = tensor([1, 4], { dtype: 'int32' });
const make = (requiresGrad = false): Tensor => tensor(logits, { requiresGrad });

describe('SoftmaxCrossEntropyWithLogits', () => {
  test('gives the value of the MindSpore documentation', () => {
    const loss = new SoftmaxCrossEntropyWithLogits({ sparse: true });
    expectValues(loss.forward(tensor([logits[0]]), tensor([1], { dtype: 'int32' })), [67]);
  });

  test('is the same for class numbers and their one-hot form', () => {
    const sparse = new SoftmaxCrossEntropyWithLogits({ sparse: true }).forward(make(), labels);
    const dense = new SoftmaxCrossEntropyWithLogits().forward(make(), oneHot(labels, 10));
    expectClose(dense, sparse);
  });

  test('takes mixed probabilities', () => {
    const loss = new SoftmaxCrossEntropyWithLogits({ reduction: 'mean' });
    const value = loss.forward(tensor([[0, 0]]), tensor([[0.25, 0.75]])).item();
    expect(value).toBeCloseTo(Math.LN2, 6);
  });

  test('reduces by mean or sum', () => {
    const each = new SoftmaxCrossEntropyWithLogits({ sparse: true }).forward(make(), labels).data;
    const reduced = (reduction: 'mean' | 'sum') =>
      new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction }).forward(make(), labels).item();
    expect(reduced('sum')).toBeCloseTo(each[0] + each[1], 4);
    expect(reduced('mean')).toBeCloseTo((each[0] + each[1]) / 2, 4);
  });

  test('has the gradient (softmax − onehot) / N', () => {
    for (const sparse of [true, false]) {
      const x = make(true);
      const loss = new SoftmaxCrossEntropyWithLogits({ sparse, reduction: 'mean' });
      loss.forward(x, sparse ? labels : oneHot(labels, 10)).backward();
      const probabilities = softmax(make()).data;
      const target = oneHot(labels, 10).data;
      const expected = probabilities.map((p, i) => (p - target[i]) / 2);
      expectClose(x.grad as Tensor, tensor(expected, { shape: [2, 10] }));
    }
  });

  test('smooths labels as mixed probabilities would', () => {
    const epsilon = 0.3;
    const smooth = oneHot(labels, 10).data.map((t) => (1 - epsilon) * t + epsilon / 10);
    const expected = new SoftmaxCrossEntropyWithLogits().forward(
      make(),
      tensor(smooth, { shape: [2, 10] }),
    );
    const sparse = new SoftmaxCrossEntropyWithLogits({ sparse: true, labelSmoothing: epsilon });
    expectClose(sparse.forward(make(), labels), expected);
    const dense = new SoftmaxCrossEntropyWithLogits({ labelSmoothing: epsilon });
    expectClose(dense.forward(make(), oneHot(labels, 10)), expected);
    expect(() => new SoftmaxCrossEntropyWithLogits({ labelSmoothing: 1 })).toThrow(
      /labelSmoothing must be in \[0, 1\), got 1/,
    );
  });

  test('does not overflow', () => {
    const loss = new SoftmaxCrossEntropyWithLogits({ sparse: true });
    const value = loss.forward(tensor([[1e4, -1e4]]), tensor([1], { dtype: 'int32' })).item();
    expect(value).toBe(20_000);
  });

  test('refuses labels that do not fit', () => {
    const sparse = new SoftmaxCrossEntropyWithLogits({ sparse: true });
    const dense = new SoftmaxCrossEntropyWithLogits();
    expect(() => sparse.forward(make(), tensor([1, 10], { dtype: 'int32' }))).toThrow(
      /label 10 of sample 1 is outside \[0, 10\)/,
    );
    expect(() => sparse.forward(make(), tensor([-1, 0], { dtype: 'int32' }))).toThrow(/label -1/);
    expect(() => sparse.forward(make(), tensor([1], { dtype: 'int32' }))).toThrow(ShapeError);
    expect(() => dense.forward(make(), labels)).toThrow(/for class numbers use sparse: true/);
    const unknown = { reduction: 'max' as 'mean' };
    expect(() => new SoftmaxCrossEntropyWithLogits(unknown)).toThrow(ValueError);
    expect(() => new SoftmaxCrossEntropyWithLogits(unknown)).toThrow(/'sum', got 'max'/);
  });
});
