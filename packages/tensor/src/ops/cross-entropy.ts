import { defineOp } from '../autograd/define-op.ts';
import { Tensor } from '../autograd/tensor.ts';
import { crossEntropy } from '../backend/kernels.ts';
import { expectInteger, expectThat, readOptions } from '../core/checks.ts';
import { type DType, newTypedArray, type TypedArray } from '../core/dtype.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import { sameShape } from '../core/shape.ts';
import { div, maximum, mul } from './arithmetic.ts';
import { moveAxis } from './axes.ts';
import { less } from './comparison.ts';
import { ones } from './create.ts';
import { asIntegers, asTensor, expectSameFloating, type TensorLike } from './operands.ts';
import { neg } from './pointwise.ts';
import { mean, sum } from './reduce.ts';
import { reshape } from './reshape.ts';
import { takeAlongAxis } from './take-along-axis.ts';
import { where } from './where.ts';

const crossEntropyOp = defineOp<[NdArray, NdArray], null, { logits: NdArray; labels: NdArray }>(
  'softmaxCrossEntropy',
  {
    forward: ([logits, labels]) => ({
      y: crossEntropy().softmaxCrossEntropy(logits, labels),
      saved: { logits, labels },
    }),
    backward: (gradOut, { logits, labels }) => [
      crossEntropy().softmaxCrossEntropyGrad(logits, labels, gradOut),
      null,
    ],
  },
);

/** Which labels count, how much, and what becomes of the losses of all samples. */
export interface CrossEntropyOptions {
  /** `[C]`: a factor for each class, which gets no gradient; 1 by default. */
  readonly weight?: TensorLike;
  /** A label whose loss is 0 and does not count; it need not be a class. None by default. */
  readonly ignoreIndex?: number;
  /** `'none'` (default), `'sum'`, or `'mean'`: Σ loss / Σ weight over what counts. */
  readonly reduction?: 'none' | 'mean' | 'sum';
}

function checkLabels(
  op: string,
  labels: Tensor,
  classes: number,
  ignored: number | undefined,
): void {
  labels.array.data.forEach((label, sample) => {
    if ((label < 0 || label >= classes) && label !== ignored) {
      throw new ValueError(`${op}: label ${label} of sample ${sample} is outside [0, ${classes})`);
    }
  });
}

function checkShapes(op: string, scores: Tensor, labels: Tensor): void {
  const operands = {
    logits: { shape: scores.shape, layout: 'N, C, d…' },
    labels: { shape: labels.shape, layout: 'N, d…' },
  };
  if (scores.rank < 2) throw shapeError(op, 'logits must have axes [N, C], or more', operands);
  const [samples, , ...rest] = scores.shape;
  if (sameShape(labels.shape, [samples, ...rest])) return;
  const rule =
    scores.rank === 2 && labels.rank === 1
      ? `${samples} rows of logits, ${labels.shape[0]} labels`
      : 'labels must have the axes of logits but for the classes';
  throw shapeError(op, rule, operands);
}

/** The loss of each row `[M, C]` with its label `[M]`, which must be 0 for label −1, weighed and reduced. */
function labelLoss(
  op: string,
  scores: Tensor,
  labels: Tensor,
  options: CrossEntropyOptions,
  loss: (rows: Tensor, labels: Tensor) => Tensor,
): Tensor {
  const known = ['weight', 'ignoreIndex', 'reduction'] as const;
  const { weight, ignoreIndex, reduction = 'none' } = readOptions(op, options, known);
  const isKnown = reduction === 'none' || reduction === 'mean' || reduction === 'sum';
  expectThat(isKnown, op, 'reduction', "'none', 'mean' or 'sum'", reduction);
  if (ignoreIndex !== undefined) expectInteger(op, 'ignoreIndex', ignoreIndex);
  expectSameFloating(op, { logits: scores });
  checkShapes(op, scores, labels);
  const classes = scores.shape[1];
  checkLabels(op, labels, classes, ignoreIndex);

  const rows =
    scores.rank === 2 ? scores : reshape(moveAxis(scores, 1, -1), [labels.size, classes]);
  const targets = reshape(labels, [labels.size]);
  if (weight === undefined && ignoreIndex === undefined) {
    const losses = loss(rows, targets);
    if (reduction === 'none') return reshape(losses, labels.shape);
    return reduction === 'mean' ? mean(losses) : sum(losses);
  }
  const { counted, factors } = weighed(op, scores, targets, options);
  const losses = mul(loss(rows, counted), factors);
  if (reduction === 'none') return reshape(losses, labels.shape);
  return reduction === 'mean' ? div(sum(losses), sum(factors)) : sum(losses);
}

/** The labels `[M]`, −1 where one does not count, and how much they do. */
function weighed(
  op: string,
  scores: Tensor,
  labels: Tensor,
  { weight, ignoreIndex }: CrossEntropyOptions,
): { counted: Tensor; factors: Tensor } {
  const { dtype } = scores;
  const classes = scores.shape[1];
  const given =
    weight === undefined ? ones([classes], { dtype }) : asTensor(op, 'weight', weight, dtype);
  expectSameFloating(op, { logits: scores, weight: given });
  if (given.rank !== 1 || given.size !== classes) {
    const rule = `weight must have one element for each of ${classes} classes`;
    throw shapeError(op, rule, { logits: scores, weight: given });
  }
  const [{ data }, { data: weights }] = [labels.array, given.array];
  const counted = new Int32Array(labels.size).fill(-1);
  const factors = newTypedArray(dtype, labels.size);
  for (let i = 0; i < counted.length; i++) {
    if (data[i] === ignoreIndex) continue;
    counted[i] = data[i];
    factors[i] = weights[data[i]];
  }
  const constant = (values: TypedArray, dtype: DType): Tensor =>
    new Tensor(NdArray.fromTypedArray(values, labels.shape, dtype));
  return {
    counted: constant(counted, 'int32'),
    factors: constant(factors, dtype),
  };
}

/**
 * Cross-entropy of softmax per sample: y[n] = ln Σ_c e^{x[n,c]} − x[n, label[n]], times the weight of the
 * label.
 *
 * @param logits `[N, C]`, or `[N, C, d…]` with a label for each pixel
 * @param labels `[N]`, or `[N, d…]`; integer class numbers in [0, C)
 * @param options `weight`, `ignoreIndex` and `reduction`
 * @returns the shape of the labels, or a scalar if reduced
 * @throws ShapeError, DTypeError, or ValueError for a label outside [0, C)
 * @see mindspore/nn/loss/loss.py, SoftmaxCrossEntropyWithLogits; torch.nn.functional.cross_entropy
 */
export function softmaxCrossEntropy(
  logits: TensorLike,
  labels: TensorLike,
  options: CrossEntropyOptions = {},
): Tensor {
  const op = 'softmaxCrossEntropy';
  const scores = asTensor(op, 'logits', logits);
  const targets = asIntegers(op, 'labels', labels);
  return labelLoss(op, scores, targets, options, (rows, own) => crossEntropyOp([rows, own], null));
}

/**
 * The negative logarithm of the probability of each label: y[n] = −x[n, label[n]], times the weight of the
 * label; the loss behind `logSoftmax`.
 *
 * @param logProbabilities `[N, C]`, or `[N, C, d…]` with a label for each pixel
 * @param labels `[N]`, or `[N, d…]`; integer class numbers in [0, C)
 * @param options `weight`, `ignoreIndex` and `reduction`
 * @returns the shape of the labels, or a scalar if reduced
 * @throws as `softmaxCrossEntropy`
 * @see torch.nn.functional.nll_loss
 */
export function negativeLogLikelihood(
  logProbabilities: TensorLike,
  labels: TensorLike,
  options: CrossEntropyOptions = {},
): Tensor {
  const op = 'negativeLogLikelihood';
  const scores = asTensor(op, 'logProbabilities', logProbabilities);
  const targets = asIntegers(op, 'labels', labels);
  return labelLoss(op, scores, targets, options, (rows, own) => {
    const column = reshape(maximum(own, 0), [own.size, 1]);
    const picked = reshape(takeAlongAxis(rows, column, 1), [own.size]);
    return where(less(own, 0), 0, neg(picked));
  });
}
