import { add, assign, mul, noGrad, sub, type Tensor, tidy } from '@firelight/tensor';
import { expectInteger, expectShare, readOptions } from '@firelight/tensor/extend';
import { CombinedOptimizer } from './combined-optimizer.ts';
import type { Optimizer } from './optimizer.ts';

/** Hyperparameters of `Lookahead`; the class says what they do. */
export interface LookaheadOptions {
  /** Steps of the other optimizer between two looks back; 5 by default. */
  readonly k?: number;
  /**
   * Share of the way that is kept, in [0, 1], or that share by steps done; 0.5 by default. With 1 the
   * other optimizer does as it would alone.
   */
  readonly alpha?: number | ((step: number) => number);
}

/**
 * Lets another optimizer take k steps forward, and then goes back to the share alpha of the way. With
 * slow weights φ, those at the beginning of the k steps, and fast weights θ at their end:
 *
 * φ ← φ + alpha · (θ − φ), θ ← φ.
 *
 * What the other optimizer remembers it keeps. Only parameters are averaged, not running statistics; a
 * frozen parameter stays. The slow weights are saved as `slow.<name of the parameter>`, so a training
 * goes on exactly also between two looks back.
 *
 * @see Zhang et al., "Lookahead Optimizer: k steps forward, 1 step back", arXiv:1907.08610
 */
export class Lookahead extends CombinedOptimizer {
  readonly #k: number;
  readonly #alpha: number | ((step: number) => number);
  readonly #slow: readonly Tensor[];

  /** @throws ValueError for what is no optimizer, or an option that is out of range or unknown */
  constructor(optimizer: Optimizer, options: LookaheadOptions = {}) {
    super('Lookahead', [optimizer]);
    const { k = 5, alpha = 0.5 } = readOptions('Lookahead', options, ['k', 'alpha']);
    expectInteger('Lookahead', 'k', k, 1);
    if (typeof alpha !== 'function') expectShare('Lookahead', 'alpha', alpha);
    this.#k = k;
    this.#alpha = alpha;
    this.#slow = this.keepForEach('slow');
  }

  /**
   * Takes what a step of the other optimizer needs; what it returns takes that step, and after each k-th
   * looks back.
   *
   * @throws ValueError if there is no learning rate, or alpha is out of range
   */
  override prepareStep(): () => void {
    const step = super.prepareStep();
    const before = this.globalStep;
    const [isFirst, isLast] = [before, before + 1].map((done) => done % this.#k === 0);
    const alpha = isLast ? this.#alphaAfter(before + 1) : 1;
    return () => {
      // Here fast and slow weights are equal, and the fast ones may have been loaded since.
      if (isFirst) this.#each((slow, fast) => assign(slow, fast));
      step();
      if (alpha !== 1) this.#lookBack(alpha);
    };
  }

  /**
   * Puts the weights back to where the last look back left them, and so gives up the steps since. A
   * training whose steps are no multiple of k may end so, as airbench94 does.
   */
  useSlowWeights(): void {
    if (this.globalStep % this.#k !== 0) this.#each((slow, fast) => assign(fast, slow));
  }

  #alphaAfter(step: number): number {
    const alpha = typeof this.#alpha === 'number' ? this.#alpha : this.#alpha(step);
    expectShare('Lookahead', `alpha of step ${step}`, alpha);
    return alpha;
  }

  #lookBack(alpha: number): void {
    this.#each((slow, fast) => {
      // In this form weights that did not move stay.
      if (fast.requiresGrad) assign(fast, add(slow, mul(sub(fast, slow), alpha)));
    });
  }

  #each(visit: (slow: Tensor, fast: Tensor) => void): void {
    noGrad(() => {
      this.parameters.forEach((fast, i) => {
        tidy(() => visit(this.#slow[i], fast));
      });
    });
  }
}

/**
 * The `alpha` of `Lookahead` with k = 5 in airbench94, which averages more and more: of step t of T it is
 * 1 − 0.95⁵ · (t / T)³.
 *
 * @throws ValueError unless `steps` is an integer ≥ 1
 * @see Jordan, arXiv:2404.00498; github.com/KellerJordan/cifar10-airbench, airbench94.py
 */
export function airbenchAlpha(steps: number): (step: number) => number {
  expectInteger('airbenchAlpha', 'steps', steps, 1);
  return (step) => 1 - 0.95 ** 5 * Math.min(step / steps, 1) ** 3;
}
