import { CombinedOptimizer } from '../optimizers/combined-optimizer.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';

/** Something about weights that must stay so while they are trained on: `Pruning`, `SharedWeights`. */
export interface WeightConstraint {
  /** Changes the gradients before a step so that the step keeps it, but for rounding and momenta. */
  prepareGradients(): void;
  /** Puts the weights right after a step. */
  restore(): void;
}

/**
 * Steps as another optimizer does, and keeps a constraint on the weights: what was pruned stays 0,
 * weights that share a value share it afterwards.
 *
 * Its state is that of the other optimizer, so a training goes on from a checkpoint as without it; make
 * the constraint anew of the weights that were loaded.
 */
export class ConstrainedOptimizer extends CombinedOptimizer {
  readonly #constraint: WeightConstraint;

  /** @throws ValueError for what is no optimizer */
  constructor(optimizer: Optimizer, constraint: WeightConstraint) {
    super('ConstrainedOptimizer', [optimizer]);
    this.#constraint = constraint;
  }

  /** Takes what a step of the other optimizer needs; what it returns takes that step, and keeps the constraint. */
  override prepareStep(): () => void {
    const step = super.prepareStep();
    return () => {
      this.#constraint.prepareGradients();
      step();
      this.#constraint.restore();
    };
  }
}
