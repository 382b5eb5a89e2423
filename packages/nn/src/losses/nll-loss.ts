import {
  type CrossEntropyOptions,
  negativeLogLikelihood,
  type Tensor,
  type TensorLike,
} from '@firelight/tensor';
import { checkReduction, type Reduction } from './reduction.ts';

/** Which labels of an `NLLLoss` count, and what it makes of the losses of a batch. */
export interface NLLLossOptions {
  /** `'mean'` by default. */
  readonly reduction?: Reduction;
  /** `[C]`: a factor for the losses of each class. */
  readonly classWeights?: TensorLike;
  /** A label whose losses do not count; none by default. */
  readonly ignoreIndex?: number;
}

/**
 * L[n] = −x[n, label[n]] of logarithms of probabilities, such as `logSoftmax` gives.
 *
 * @see torch.nn.NLLLoss
 */
export class NLLLoss {
  readonly #options: CrossEntropyOptions;

  /** @throws ValueError for an unknown reduction */
  constructor({ reduction = 'mean', classWeights, ignoreIndex }: NLLLossOptions = {}) {
    checkReduction('NLLLoss', reduction);
    this.#options = {
      reduction,
      ...(classWeights !== undefined && { weight: classWeights }),
      ...(ignoreIndex !== undefined && { ignoreIndex }),
    };
  }

  /**
   * @param logProbabilities `[N, C]` or `[N, C, d…]`
   * @param labels `[N]` or `[N, d…]`, integers in [0, C)
   * @returns a scalar, or the loss of each label if not reduced
   * @throws ShapeError, DTypeError or ValueError for labels that do not fit
   */
  forward(logProbabilities: TensorLike, labels: TensorLike): Tensor {
    return negativeLogLikelihood(logProbabilities, labels, this.#options);
  }
}
