import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { expectIntegers, expectRank, expectSameFloating } from './operands.ts';

const crossEntropyOp = defineOp<[NdArray, NdArray], null, { logits: NdArray; labels: NdArray }>(
  'softmaxCrossEntropy',
  {
    forward: ([logits, labels]) => ({
      y: kernels().softmaxCrossEntropy(logits, labels),
      saved: { logits, labels },
    }),
    backward: (gradOut, { logits, labels }) => [
      kernels().softmaxCrossEntropyGrad(logits, labels, gradOut),
      null,
    ],
  },
);

/**
 * Cross-entropy of softmax per sample: y[n] = ln Σ_c e^{x[n,c]} − x[n, label[n]].
 *
 * @param logits `[N, C]`
 * @param labels `[N]`, int32 or uint8 class numbers in [0, C)
 * @returns `[N]`
 * @throws ShapeError, DTypeError, or ValueError for a label outside [0, C)
 * @see mindspore/nn/loss/loss.py, SoftmaxCrossEntropyWithLogits
 */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  expectRank('softmaxCrossEntropy', 'logits', logits, 'N, C');
  expectRank('softmaxCrossEntropy', 'labels', labels, 'N');
  expectSameFloating('softmaxCrossEntropy', { logits });
  expectIntegers('softmaxCrossEntropy', 'labels', labels);
  const [samples, classes] = logits.shape;
  if (labels.shape[0] !== samples) {
    throw shapeError(
      'softmaxCrossEntropy',
      `${samples} rows of logits, ${labels.shape[0]} labels`,
      {
        logits: { shape: logits.shape, layout: 'N, C' },
        labels: { shape: labels.shape, layout: 'N' },
      },
    );
  }
  labels.array.data.forEach((label, sample) => {
    if (label < 0 || label >= classes) {
      throw new ValueError(
        `softmaxCrossEntropy: label ${label} of sample ${sample} is outside [0, ${classes})`,
      );
    }
  });
  return crossEntropyOp([logits, labels], null);
}
