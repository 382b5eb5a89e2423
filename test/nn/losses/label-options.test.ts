import { NLLLoss, SoftmaxCrossEntropyWithLogits } from '@firelight/nn';
import {
  gradients,
  logSoftmax,
  mul,
  negativeLogLikelihood,
  setBackend,
  softmaxCrossEntropy,
  sum,
  type Tensor,
  tensor,
} from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';

afterAll(() => setBackend('wasm'));

const logits = tensor([
  [1, 2, 0],
  [0, -1, 3],
  [2, 2, 2],
]);
const labels = tensor([1, 2, 0], { dtype: 'int32' });
const classWeights = [1, 2, 0.5];

describe('labels that count differently', () => {
  const single = softmaxCrossEntropy(logits, labels).data;
  const weighted = [2 * single[0], 0.5 * single[1], single[2]];
  const close = (actual: Tensor, value: number): void =>
    expect(actual.item()).toBeCloseTo(value, 5);

  test('by class: the mean is over the weights', () => {
    const loss = new SoftmaxCrossEntropyWithLogits({
      sparse: true,
      reduction: 'mean',
      classWeights,
    });
    close(loss.forward(logits, labels), (weighted[0] + weighted[1] + weighted[2]) / 3.5);
  });

  test('not at all: an ignored label', () => {
    const options = { sparse: true, reduction: 'mean', ignoreIndex: -1 } as const;
    const some = tensor([1, -1, 0], { dtype: 'int32' });
    const loss = new SoftmaxCrossEntropyWithLogits(options).forward(logits, some);
    close(loss, (single[0] + single[2]) / 2);
    const each = softmaxCrossEntropy(logits, some, { ignoreIndex: -1 }).data;
    expect(each[1]).toBe(0);
  });

  test.each(['reference', 'wasm'])(
    'rows of ignored labels may hold anything, and change nothing, on %s',
    async (backend) => {
      await setBackend(backend);
      const rows = tensor(
        [
          [1, 2, 0],
          [Number.NaN, Number.POSITIVE_INFINITY, 0],
          [2, 2, 2],
        ],
        {
          requiresGrad: true,
        },
      );
      const some = tensor([1, 7, 0], { dtype: 'int32' });
      for (const loss of [softmaxCrossEntropy, negativeLogLikelihood] as const) {
        const losses = loss(rows, some, { ignoreIndex: 7 });
        expect(losses.data[1]).toBe(0);
        const [slope] = gradients(sum(losses), [rows], { createGraph: true });
        const ofIgnored = ({ data }: Tensor): number[] => [...data.slice(3, 6)].map(Math.abs);
        expect(ofIgnored(slope)).toEqual([0, 0, 0]);
        expect([...slope.data].every(Number.isFinite)).toBe(true);
      }
      const [slope] = gradients(sum(softmaxCrossEntropy(rows, some, { ignoreIndex: 7 })), [rows], {
        createGraph: true,
      });
      const [bend] = gradients(sum(mul(slope, tensor([1, 2, 3]))), [rows]);
      expect(Math.abs(bend.data[0])).toBeGreaterThan(0.01);
    },
  );

  test('NLLLoss is the same behind logSoftmax', () => {
    const loss = new NLLLoss({ classWeights, reduction: 'sum' });
    close(loss.forward(logSoftmax(logits), labels), weighted[0] + weighted[1] + weighted[2]);
    expect(
      new NLLLoss({ reduction: 'none', ignoreIndex: 0 }).forward(logSoftmax(logits), labels).shape,
    ).toEqual([3]);
  });

  test('what does not go together is refused', () => {
    const message = /classWeights and ignoreIndex need sparse: true, and no labelSmoothing/;
    expect(() => new SoftmaxCrossEntropyWithLogits({ classWeights })).toThrow(message);
    const smoothing = { sparse: true, labelSmoothing: 0.1, ignoreIndex: 0 };
    expect(() => new SoftmaxCrossEntropyWithLogits(smoothing)).toThrow(message);
    expect(() => new NLLLoss({ reduction: 'max' as never })).toThrow(/'none', 'mean' or 'sum'/);
    expect(() => softmaxCrossEntropy(logits, labels, { weight: [1, 2] })).toThrow(
      /weight must have one element for each of 3 classes/,
    );
    expect(() => softmaxCrossEntropy(logits, [1, 5, 0])).toThrow(
      /label 5 of sample 1 is outside \[0, 3\)/,
    );
    expect(() => softmaxCrossEntropy(tensor([[[1], [2]]]), [1])).toThrow(
      /the axes of logits but for/,
    );
  });
});
