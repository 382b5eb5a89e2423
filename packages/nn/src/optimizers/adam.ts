import { add, assign, div, mul, sqrt, sub, type Tensor } from '@firelight/tensor';
import { expectBelowOne, expectNotNegative } from '../core/checks.ts';
import type { ParameterGroup, Slot } from './groups.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';

/** Hyperparameters of `Adam`; the class says what they do. */
export interface AdamOptions extends OptimizerOptions {
  /** Share of the mean gradient that is kept from step to step; 0.9 by default. */
  readonly beta1?: number;
  /** Share of the mean square that is kept from step to step; 0.999 by default. */
  readonly beta2?: number;
  /** Keeps the divisor from 0; 1e-8 by default. */
  readonly eps?: number;
}

/** What Adam and AdamW share: everything but the weight decay. */
abstract class AdamBase extends Optimizer {
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #eps: number;
  readonly #means: readonly Tensor[];
  readonly #squares: readonly Tensor[];

  constructor(
    name: string,
    parameters: readonly Tensor[] | readonly ParameterGroup[],
    options: AdamOptions,
  ) {
    super(name, parameters, options);
    const { beta1 = 0.9, beta2 = 0.999, eps = 1e-8 } = options;
    for (const [option, beta] of Object.entries({ beta1, beta2 })) {
      expectBelowOne(name, option, beta);
    }
    expectNotNegative(name, 'eps', eps);
    this.#beta1 = beta1;
    this.#beta2 = beta2;
    this.#eps = eps;
    this.#means = this.keepForEach('moment1');
    this.#squares = this.keepForEach('moment2');
    this.keepSteps();
  }

  /** w ← w − lr · m̂ / (√v̂ + eps), where m and v have taken g in. */
  protected adapt(parameter: Tensor, index: number, g: Tensor, learningRate: number): void {
    const [mean, square] = [this.#means[index], this.#squares[index]];
    assign(mean, add(mul(mean, this.#beta1), mul(g, 1 - this.#beta1)));
    assign(square, add(mul(square, this.#beta2), mul(mul(g, g), 1 - this.#beta2)));
    // Both began at 0; these make up for it.
    const steps = this.stepsOf(index);
    const meanShare = 1 - this.#beta1 ** steps;
    const squareShare = 1 - this.#beta2 ** steps;
    const divisor = add(div(sqrt(square), Math.sqrt(squareShare)), this.#eps);
    assign(parameter, sub(parameter, mul(div(mean, divisor), learningRate / meanShare)));
  }
}

/**
 * Adam. With g = gradient + weightDecay · w, in step t of the parameter (counted from 1, over the steps
 * in which it has a gradient):
 *
 * m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², w ← w − lr · m̂ / (√v̂ + eps), where
 * m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ).
 *
 * @see Kingma and Ba, arXiv:1412.6980; torch.optim.Adam
 */
export class Adam extends AdamBase {
  /** @throws ValueError for numbers out of range */
  constructor(parameters: readonly Tensor[] | readonly ParameterGroup[], options: AdamOptions) {
    super('Adam', parameters, options);
  }

  protected update(slot: Slot, index: number, grad: Tensor, learningRate: number): void {
    this.adapt(slot.parameter, index, this.decayedGradient(slot, grad), learningRate);
  }
}

/**
 * Adam whose weight decay is apart from the gradient: w ← (1 − lr · weightDecay) · w, then a step of
 * Adam with the plain gradient. `weightDecay` is 0.01 by default.
 *
 * @see Loshchilov and Hutter, arXiv:1711.05101; torch.optim.AdamW
 */
export class AdamW extends AdamBase {
  /** @throws ValueError for numbers out of range */
  constructor(parameters: readonly Tensor[] | readonly ParameterGroup[], options: AdamOptions) {
    super('AdamW', parameters, { weightDecay: 0.01, ...options });
  }

  protected update(slot: Slot, index: number, grad: Tensor, learningRate: number): void {
    const { parameter, weightDecay } = slot;
    if (weightDecay > 0) assign(parameter, mul(parameter, 1 - learningRate * weightDecay));
    const g = this.decayedGradient({ ...slot, weightDecay: 0 }, grad);
    this.adapt(parameter, index, g, learningRate);
  }
}
