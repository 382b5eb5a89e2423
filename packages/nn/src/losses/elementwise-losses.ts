import {
  abs,
  add,
  exp,
  log,
  maximum,
  minimum,
  mul,
  neg,
  sub,
  type Tensor,
  type TensorLike,
} from '@firelight/tensor';
import { asTensor } from '@firelight/tensor/extend';
import { expectPositive } from '../core/checks.ts';
import {
  checkReduction,
  checkSameShape,
  type LossOptions,
  type Reduction,
  reduceLosses,
} from './reduction.ts';

/** Base of losses that compare a prediction with a target of its shape, element by element. */
abstract class ElementwiseLoss {
  readonly #name: string;
  readonly #reduction: Reduction;

  /** @throws ValueError for an unknown reduction */
  constructor(name: string, { reduction = 'mean' }: LossOptions) {
    checkReduction(name, reduction);
    this.#name = name;
    this.#reduction = reduction;
  }

  /**
   * @returns of the shape of both, or a scalar if reduced
   * @throws ShapeError if prediction and target have different shapes; DTypeError for what is no
   *   tensor
   */
  forward(prediction: TensorLike, target: TensorLike): Tensor {
    const predicted = asTensor(this.#name, 'prediction', prediction);
    const wanted = asTensor(this.#name, 'target', target, predicted.dtype);
    checkSameShape(this.#name, predicted, wanted);
    return reduceLosses(this.losses(predicted, wanted), this.#reduction);
  }

  protected abstract losses(prediction: Tensor, target: Tensor): Tensor;
}

/** (p − t)² */
export class MSELoss extends ElementwiseLoss {
  constructor(options: LossOptions = {}) {
    super('MSELoss', options);
  }

  protected losses(prediction: Tensor, target: Tensor): Tensor {
    const difference = sub(prediction, target);
    return mul(difference, difference);
  }
}

/** |p − t| */
export class L1Loss extends ElementwiseLoss {
  constructor(options: LossOptions = {}) {
    super('L1Loss', options);
  }

  protected losses(prediction: Tensor, target: Tensor): Tensor {
    return abs(sub(prediction, target));
  }
}

/**
 * ½ d² where |d| ≤ δ, else δ (|d| − ½ δ), with d = p − t.
 *
 * @see Huber, "Robust estimation of a location parameter", 1964
 */
export class HuberLoss extends ElementwiseLoss {
  readonly #delta: number;

  /** @throws ValueError unless delta > 0 (1 by default) */
  constructor({ delta = 1, ...options }: LossOptions & { readonly delta?: number } = {}) {
    super('HuberLoss', options);
    expectPositive('HuberLoss', 'delta', delta);
    this.#delta = delta;
  }

  protected losses(prediction: Tensor, target: Tensor): Tensor {
    const delta = this.#delta;
    const size = abs(sub(prediction, target));
    if (delta === Number.POSITIVE_INFINITY) return mul(mul(size, size), 0.5);
    // No product with the whole size, whose gradient would be NaN where the size is infinite.
    const bounded = minimum(size, delta);
    return add(mul(mul(bounded, bounded), 0.5), mul(sub(size, bounded), delta));
  }
}

/**
 * Binary cross-entropy of sigmoid(x), from the logits x, so that nothing overflows:
 * t · max(−x, 0) + (1 − t) · max(x, 0) + ln(1 + e^{−|x|}), for t from 0 to 1.
 */
export class BCEWithLogitsLoss extends ElementwiseLoss {
  constructor(options: LossOptions = {}) {
    super('BCEWithLogitsLoss', options);
  }

  protected losses(prediction: Tensor, target: Tensor): Tensor {
    const softened = log(add(exp(neg(abs(prediction))), 1));
    const ifTrue = mul(maximum(neg(prediction), 0), target);
    const ifFalse = mul(maximum(prediction, 0), sub(1, target));
    return add(add(ifTrue, ifFalse), softened);
  }
}
