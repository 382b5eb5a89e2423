import { assign, cast, mul, sub, type Tensor, ValueError } from '@firelight/tensor';
import { expectNotNegative } from '../core/checks.ts';
import type { ParameterGroup, Slot } from './groups.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';

/** Hyperparameters of `SGD`; the class says what they do. */
export interface SGDOptions extends OptimizerOptions {
  /** Share of the velocity that is kept from step to step; 0 by default. */
  readonly momentum?: number;
  /** Share of the gradient that does not enter the velocity; 0 by default. */
  readonly dampening?: number;
  /** Look ahead along the velocity; false by default. */
  readonly nesterov?: boolean;
}

/**
 * Stochastic gradient descent. With g = gradient + weightDecay · w, in each step:
 *
 * v ← momentum · v + (1 − dampening) · g (in the parameter's first step v ← g), w ← w − lr · v, or
 * w ← w − lr · (g + momentum · v) with `nesterov`, or w ← w − lr · g without momentum.
 *
 * @see torch.optim.SGD
 */
export class SGD extends Optimizer {
  readonly #momentum: number;
  readonly #dampening: number;
  readonly #nesterov: boolean;
  readonly #velocities: readonly Tensor[] | null;

  /** @throws ValueError for numbers out of range, or nesterov without momentum or with dampening */
  constructor(parameters: readonly Tensor[] | readonly ParameterGroup[], options: SGDOptions) {
    super('SGD', parameters, options);
    const { momentum = 0, dampening = 0, nesterov = false } = options;
    expectNotNegative('SGD', 'momentum', momentum);
    expectNotNegative('SGD', 'dampening', dampening);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new ValueError(
        `SGD: nesterov needs momentum > 0 and dampening 0, got ${momentum} and ${dampening}`,
      );
    }
    this.#momentum = momentum;
    this.#dampening = dampening;
    this.#nesterov = nesterov;
    this.#velocities = momentum === 0 ? null : this.keepForEach('velocity');
    if (momentum !== 0 && dampening !== 0) this.keepSteps();
  }

  protected update(slot: Slot, index: number, grad: Tensor, learningRate: number): void {
    const { parameter } = slot;
    const velocity = this.#velocities?.[index];
    if (velocity === undefined) {
      const step = mul(this.decayedGradient(slot, grad), learningRate);
      assign(parameter, sub(parameter, step));
      return;
    }
    const { dtype } = parameter;
    // A gradient that the user set may have another dtype.
    const slope = grad.dtype === dtype ? grad : cast(grad, dtype);
    this.stepWithMomentum(slot, velocity, slope, {
      learningRate,
      momentum: this.#momentum,
      nesterov: this.#nesterov,
      // The velocity is 0 before the first step, after which it is the whole gradient.
      dampening: this.stepsOf(index) === 1 ? 0 : this.#dampening,
    });
  }
}
