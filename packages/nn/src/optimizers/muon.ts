import { add, assign, mul, reshape, sub, type Tensor, tidy, ValueError } from '@firelight/tensor';
import { expectBoolean, expectInteger, formatShape } from '@firelight/tensor/extend';
import { expectBelowOne, expectNotNegative } from '../core/checks.ts';
import type { ParameterGroup, Slot } from './groups.ts';
import { newtonSchulz } from './newton-schulz.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';

/** Hyperparameters of `Muon`; the class says what they do. */
export interface MuonOptions extends OptimizerOptions {
  /** Share of the mean gradient that is kept from step to step; 0.95 by default. */
  readonly momentum?: number;
  /** Look ahead along the mean gradient; true by default. */
  readonly nesterov?: boolean;
  /** Steps of the Newton-Schulz iteration; 5 by default. */
  readonly nsSteps?: number;
  /** Added to the norm by which the iteration divides; 1e-7 by default. */
  readonly eps?: number;
}

/**
 * Muon, for the matrices of hidden layers: momentum, of which all directions are made about equally
 * large. A weight of a convolution is the matrix `[out, rest]`. In each step, with gradient g:
 *
 * 1. m ← momentum · m + (1 − momentum) · g; 2. u = m, or (1 − momentum) · g + momentum · m with
 * `nesterov`; 3. O = U · Vᵀ of u = U · Σ · Vᵀ, by `nsSteps` steps of the Newton-Schulz iteration;
 * 4. w ← (1 − lr · weightDecay) · w; 5. w ← w − lr · √max(1, rows / columns) · O.
 *
 * The size of a gradient thus does not matter, and learning rates such as 0.02 are usual. Biases, norms
 * and, by its authors' advice, the first and the last layer go to another optimizer; see
 * `MultiOptimizer`. The iteration computes in the dtype of the weight.
 *
 * @see Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
 *   kellerjordan.github.io/posts/muon; github.com/KellerJordan/Muon
 */
export class Muon extends Optimizer {
  readonly #momentum: number;
  readonly #nesterov: boolean;
  readonly #iteration: { readonly steps: number; readonly eps: number };
  readonly #means: readonly Tensor[];

  /** @throws ValueError for numbers out of range, or a parameter with fewer than two axes */
  constructor(parameters: readonly Tensor[] | readonly ParameterGroup[], options: MuonOptions) {
    super('Muon', parameters, options);
    const { momentum = 0.95, nesterov = true, nsSteps = 5, eps = 1e-7 } = options;
    expectBelowOne('Muon', 'momentum', momentum);
    expectBoolean('Muon', 'nesterov', nesterov);
    expectInteger('Muon', 'nsSteps', nsSteps, 1);
    expectNotNegative('Muon', 'eps', eps);
    const flat = this.parameters.find(({ rank }) => rank < 2);
    if (flat !== undefined) {
      throw new ValueError(
        `Muon: a parameter of shape ${formatShape(flat.shape)} is no matrix; give those with fewer ` +
          'than two axes to another optimizer, and both to a MultiOptimizer',
      );
    }
    this.#momentum = momentum;
    this.#nesterov = nesterov;
    this.#iteration = { steps: nsSteps, eps };
    this.#means = this.keepForEach('mean_gradient');
  }

  protected update(slot: Slot, index: number, grad: Tensor, learningRate: number): void {
    const { parameter, weightDecay } = slot;
    if (parameter.size === 0) return;
    // What one parameter needs is released before the next.
    tidy(() => {
      const mean = this.#means[index];
      const fresh = mul(
        this.decayedGradient({ ...slot, weightDecay: 0 }, grad),
        1 - this.#momentum,
      );
      assign(mean, add(mul(mean, this.#momentum), fresh));
      const direction = this.#nesterov ? add(fresh, mul(mean, this.#momentum)) : mean;
      const [rows] = parameter.shape;
      const columns = parameter.size / rows;
      const even = newtonSchulz(reshape(direction, [rows, columns]), this.#iteration);
      const step = mul(even, learningRate * Math.sqrt(Math.max(1, rows / columns)));
      if (weightDecay > 0) assign(parameter, mul(parameter, 1 - learningRate * weightDecay));
      assign(parameter, sub(parameter, reshape(step, parameter.shape)));
    });
  }
}
