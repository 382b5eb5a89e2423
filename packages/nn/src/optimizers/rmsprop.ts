import { add, assign, div, mul, sqrt, sub, type Tensor } from '@firelight/tensor';
import { expectBelowOne, expectNotNegative } from '../core/checks.ts';
import type { ParameterGroup, Slot } from './groups.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';

/** Hyperparameters of `RMSProp`; the class says what they do. */
export interface RMSPropOptions extends OptimizerOptions {
  /** Share of the mean square that is kept from step to step; 0.99 by default. */
  readonly alpha?: number;
  /** Keeps the divisor from 0; 1e-8 by default. */
  readonly eps?: number;
  /** Share of the velocity that is kept from step to step; 0 by default. */
  readonly momentum?: number;
  /** Divide by the standard deviation of the gradient instead; false by default. */
  readonly centered?: boolean;
}

/**
 * RMSProp. With g = gradient + weightDecay · w, in each step:
 *
 * s ← α s + (1 − α) g², d = √s + eps (`centered`: a ← α a + (1 − α) g, d = √(s − a²) + eps),
 * w ← w − lr · g / d, or v ← momentum · v + g / d, w ← w − lr · v.
 *
 * @see Hinton, "Neural Networks for Machine Learning", lecture 6e; torch.optim.RMSprop
 */
export class RMSProp extends Optimizer {
  readonly #alpha: number;
  readonly #eps: number;
  readonly #momentum: number;
  readonly #squares: readonly Tensor[];
  readonly #means: readonly Tensor[] | null;
  readonly #velocities: readonly Tensor[] | null;

  /** @throws ValueError for numbers out of range */
  constructor(parameters: readonly Tensor[] | readonly ParameterGroup[], options: RMSPropOptions) {
    super('RMSProp', parameters, options);
    const { alpha = 0.99, eps = 1e-8, momentum = 0, centered = false } = options;
    expectBelowOne('RMSProp', 'alpha', alpha);
    expectNotNegative('RMSProp', 'eps', eps);
    expectNotNegative('RMSProp', 'momentum', momentum);
    this.#alpha = alpha;
    this.#eps = eps;
    this.#momentum = momentum;
    this.#squares = this.keepForEach('mean_square');
    this.#means = centered ? this.keepForEach('mean_gradient') : null;
    this.#velocities = momentum === 0 ? null : this.keepForEach('velocity');
  }

  protected update(slot: Slot, index: number, grad: Tensor, learningRate: number): void {
    const { parameter } = slot;
    const g = this.decayedGradient(slot, grad);
    const square = this.#squares[index];
    this.#take(square, mul(g, g));
    const mean = this.#means?.[index];
    if (mean !== undefined) this.#take(mean, g);
    const variance = mean === undefined ? square : sub(square, mul(mean, mean));
    const scaled = div(g, add(sqrt(variance), this.#eps));
    const velocity = this.#velocities?.[index];
    if (velocity !== undefined) assign(velocity, add(mul(velocity, this.#momentum), scaled));
    assign(parameter, sub(parameter, mul(velocity ?? scaled, learningRate)));
  }

  #take(average: Tensor, value: Tensor): void {
    assign(average, add(mul(average, this.#alpha), mul(value, 1 - this.#alpha)));
  }
}
