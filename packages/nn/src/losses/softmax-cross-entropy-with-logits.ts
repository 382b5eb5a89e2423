import {
  add,
  type CrossEntropyOptions,
  logSoftmax,
  mean,
  mul,
  neg,
  ShapeError,
  softmaxCrossEntropy,
  sum,
  type Tensor,
  type TensorLike,
  ValueError,
} from '@firelight/tensor';
import { asTensor, formatShape, sameShape } from '@firelight/tensor/extend';
import { expectBelowOne } from '../core/checks.ts';
import { checkReduction, type Reduction, reduceLosses } from './reduction.ts';

/** Which labels the loss takes, and what it makes of the losses of a batch. */
export interface SoftmaxCrossEntropyOptions {
  /** Labels are class numbers `[N]` (true) or probabilities `[N, C]` (false, the default). */
  readonly sparse?: boolean;
  /** What is done with the losses of the samples; `'none'` by default. */
  readonly reduction?: Reduction;
  /** Share ε of each label that is spread over all classes, in [0, 1); 0 by default. */
  readonly labelSmoothing?: number;
  /** `[C]`: a factor for the losses of each class; for sparse labels without smoothing. */
  readonly classWeights?: TensorLike;
  /** A sparse label whose losses do not count; none by default. */
  readonly ignoreIndex?: number;
}

/**
 * Cross-entropy of softmax(logits), from the logits, so that nothing overflows:
 * L[n] = ln Σ_c e^{x[n,c]} − x[n, label[n]], or −Σ_c t[n,c] · logSoftmax(x)[n,c] for probabilities t.
 *
 * With label smoothing ε the labels become (1 − ε) · t + ε / C (Szegedy et al., arXiv:1512.00567), so
 * that L = (1 − ε) · L₀ − ε / C · Σ_c logSoftmax(x)[n,c].
 *
 * With `classWeights` or `ignoreIndex`, `'mean'` is Σ loss / Σ weight over the labels that count, as PyTorch's.
 *
 * The defaults are MindSpore's; its tutorial uses `{ sparse: true, reduction: 'mean' }`.
 *
 * @see mindspore/nn/loss/loss.py
 */
export class SoftmaxCrossEntropyWithLogits {
  readonly #sparse: boolean;
  readonly #reduction: Reduction;
  readonly #labelSmoothing: number;
  /** Null where all labels count alike. */
  readonly #counting: CrossEntropyOptions | null;

  /**
   * @throws ValueError for an unknown reduction, a labelSmoothing outside [0, 1), or class weights or an
   *   ignored label without sparse labels or with smoothing
   */
  constructor({
    sparse = false,
    reduction = 'none',
    labelSmoothing = 0,
    classWeights,
    ignoreIndex,
  }: SoftmaxCrossEntropyOptions = {}) {
    expectBelowOne('SoftmaxCrossEntropyWithLogits', 'labelSmoothing', labelSmoothing);
    checkReduction('SoftmaxCrossEntropyWithLogits', reduction);
    this.#counting = null;
    if (classWeights !== undefined || ignoreIndex !== undefined) {
      if (!sparse || labelSmoothing !== 0) {
        throw new ValueError(
          'SoftmaxCrossEntropyWithLogits: classWeights and ignoreIndex need sparse: true, and no ' +
            'labelSmoothing',
        );
      }
      this.#counting = {
        reduction,
        ...(classWeights !== undefined && { weight: classWeights }),
        ...(ignoreIndex !== undefined && { ignoreIndex }),
      };
    }
    this.#sparse = sparse;
    this.#reduction = reduction;
    this.#labelSmoothing = labelSmoothing;
  }

  /**
   * @param logits `[N, C]`, or `[N, C, d…]` if sparse
   * @param labels `[N]` (`[N, d…]`) integers in [0, C) if sparse, else `[N, C]`
   * @returns the loss of each sample, or a scalar if reduced
   * @throws ShapeError, DTypeError or ValueError for labels that do not fit
   */
  forward(logits: TensorLike, labels: TensorLike): Tensor {
    const scores = asTensor('SoftmaxCrossEntropyWithLogits', 'logits', logits);
    if (this.#counting !== null) return softmaxCrossEntropy(scores, labels, this.#counting);
    const plain = this.#sparse ? softmaxCrossEntropy(scores, labels) : dense(scores, labels);
    const losses = this.#labelSmoothing === 0 ? plain : this.#smoothed(plain, scores);
    return reduceLosses(losses, this.#reduction);
  }

  #smoothed(losses: Tensor, logits: Tensor): Tensor {
    const spread = neg(mean(logSoftmax(logits), 1));
    return add(mul(losses, 1 - this.#labelSmoothing), mul(spread, this.#labelSmoothing));
  }
}

function dense(logits: Tensor, labels: TensorLike): Tensor {
  const targets = asTensor('SoftmaxCrossEntropyWithLogits', 'labels', labels, logits.dtype);
  if (logits.rank !== 2 || !sameShape(targets.shape, logits.shape)) {
    throw new ShapeError(
      'SoftmaxCrossEntropyWithLogits: without sparse, labels must be probabilities of the shape of ' +
        `the logits [N, C]; got logits ${formatShape(logits.shape)}, labels ` +
        `${formatShape(targets.shape)}; for class numbers use sparse: true`,
    );
  }
  return neg(sum(mul(targets, logSoftmax(logits)), 1));
}
