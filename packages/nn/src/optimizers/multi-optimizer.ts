import { CombinedOptimizer } from './combined-optimizer.ts';
import type { Optimizer } from './optimizer.ts';

/**
 * Several optimizers that take their steps together, each with its own parameters, so that a `Model`
 * trains with all of them:
 *
 * ```ts
 * const [matrices, others] = parameterGroups(network, [{ pattern: 'block*.conv*.weight' }]);
 * const optimizer = new MultiOptimizer([
 *   new Muon([matrices], { learningRate: 0.02 }),
 *   new AdamW([others], { learningRate: 3e-4 }),
 * ]);
 * ```
 *
 * The learning rate that monitors show, and that is saved, is that of the first. States are saved under
 * the names of their parameters, as each of the optimizers does.
 *
 * @see TensorFlow Addons, `tfa.optimizers.MultiOptimizer`
 */
export class MultiOptimizer extends CombinedOptimizer {
  /** @throws ValueError without optimizers, for different loss scales, or a parameter of two of them */
  constructor(optimizers: readonly Optimizer[]) {
    super('MultiOptimizer', optimizers);
  }
}
