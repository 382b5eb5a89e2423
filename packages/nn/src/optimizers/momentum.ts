import type { Tensor } from '@firelight/tensor';
import { expectNotNegative } from '../core/checks.ts';
import type { ParameterGroup, Slot } from './groups.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';

/** Hyperparameters of `Momentum`; the class says what they do. */
export interface MomentumOptimizerOptions extends OptimizerOptions {
  /** Share of the velocity that is kept from step to step; 0.9 is usual. */
  readonly momentum: number;
  /** Look ahead along the velocity; false by default. */
  readonly nesterov?: boolean;
}

/**
 * Stochastic gradient descent with momentum, as MindSpore's `Momentum` (and PyTorch's SGD without
 * dampening). In each step, for each parameter w with gradient g:
 *
 * 1. g ← g + weightDecay · lossScale · w; 2. centralization, if its group asks for it;
 * 3. g ← g / lossScale; 4. the learning rate lr of this step; 5. v ← momentum · v + g;
 * 6. w ← w − lr · v, or w − lr · (g + momentum · v) with `nesterov`.
 *
 * Weight decay applies to all parameters (biases of convolutions too) but those of batch norm; a
 * group with its own `weightDecay` decides for itself.
 *
 * @see mindspore/nn/optim/momentum.py
 */
export class Momentum extends Optimizer {
  readonly #momentum: number;
  readonly #nesterov: boolean;
  readonly #velocities: readonly Tensor[];

  /** @throws ValueError for empty or duplicate parameters or negative numbers */
  constructor(
    parameters: readonly Tensor[] | readonly ParameterGroup[],
    options: MomentumOptimizerOptions,
  ) {
    super('Momentum', parameters, options);
    expectNotNegative('Momentum', 'momentum', options.momentum);
    this.#momentum = options.momentum;
    this.#nesterov = options.nesterov ?? false;
    this.#velocities = this.keepForEach('moments');
  }

  protected update(slot: Slot, index: number, grad: Tensor, learningRate: number): void {
    this.stepWithMomentum(slot, this.#velocities[index], grad, {
      learningRate,
      momentum: this.#momentum,
      nesterov: this.#nesterov,
    });
  }
}
