import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import {
  asIntegers,
  asTensor,
  expectRank,
  expectSameFloating,
  type TensorLike,
} from './operands.ts';

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
export function softmaxCrossEntropy(logits: TensorLike, labels: TensorLike): Tensor {
  const scores = asTensor('softmaxCrossEntropy', 'logits', logits);
  const targets = asIntegers('softmaxCrossEntropy', 'labels', labels);
  expectRank('softmaxCrossEntropy', 'logits', scores, 'N, C');
  expectRank('softmaxCrossEntropy', 'labels', targets, 'N');
  expectSameFloating('softmaxCrossEntropy', { logits: scores });
  const [samples, classes] = scores.shape;
  if (targets.shape[0] !== samples) {
    throw shapeError(
      'softmaxCrossEntropy',
      `${samples} rows of logits, ${targets.shape[0]} labels`,
      {
        logits: { shape: scores.shape, layout: 'N, C' },
        labels: { shape: targets.shape, layout: 'N' },
      },
    );
  }
  targets.array.data.forEach((label, sample) => {
    if (label < 0 || label >= classes) {
      throw new ValueError(
        `softmaxCrossEntropy: label ${label} of sample ${sample} is outside [0, ${classes})`,
      );
    }
  });
  return crossEntropyOp([scores, targets], null);
}
