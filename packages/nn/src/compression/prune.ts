import type { Tensor } from '@firelight/tensor';
import { expectShare, readOptions } from '@firelight/tensor/extend';
import type { Module } from '../module/module.ts';
import type { NamePattern } from '../module/name-patterns.ts';
import type { WeightConstraint } from './constrained-optimizer.ts';
import { setElements, weightsOf } from './weights.ts';

/** What is kept when weights are pruned. */
export interface PruneOptions {
  /**
   * The share of each parameter's weights that is kept, in [0, 1]; a function gives each its own, such as
   * 0.33 for 3×3 kernels and 1 for others.
   */
  readonly density: number | ((name: string, weight: Tensor) => number);
  /** Which parameters are pruned; by default those with two axes or more. */
  readonly parameters?: NamePattern;
}

/**
 * Which weights were pruned. To train on the others: `new ConstrainedOptimizer(optimizer, pruning)`.
 */
export class Pruning implements WeightConstraint {
  /** 1 for what is kept and 0 for what is pruned, in the order of each parameter's elements. */
  readonly masks: ReadonlyMap<Tensor, Uint8Array>;

  constructor(masks: ReadonlyMap<Tensor, Uint8Array>) {
    this.masks = masks;
  }

  /** The share of the weights that is kept, over all pruned parameters. */
  get density(): number {
    let [kept, all] = [0, 0];
    for (const mask of this.masks.values()) {
      kept += mask.reduce((sum, isKept) => sum + isKept, 0);
      all += mask.length;
    }
    return all === 0 ? 1 : kept / all;
  }

  prepareGradients(): void {
    for (const [{ grad }, mask] of this.masks) if (grad !== null) applyMask(grad, mask);
  }

  restore(): void {
    for (const [weight, mask] of this.masks) applyMask(weight, mask);
  }
}

function applyMask(target: Tensor, mask: Uint8Array): void {
  const data = target.data as Float32Array | Float64Array;
  setElements(
    target,
    data.map((value, i) => (mask[i] === 0 ? 0 : value)),
  );
}

/**
 * Sets the weights of the smallest magnitude in each parameter to 0: of n weights the round(density · n)
 * largest are kept, of equal ones the first. What is 0 already counts as the smallest.
 *
 * @throws ValueError for a density outside [0, 1], a weight that is not finite, or a pattern that names no
 *   parameter
 * @see Han et al., "Deep Compression", arXiv:1510.00149, section 2
 */
export function prune(network: Module, options: PruneOptions): Pruning {
  const { density, parameters } = readOptions('prune', options, ['density', 'parameters']);
  const shares = weightsOf('prune', network, parameters).map(({ name, weight }) => {
    const share = typeof density === 'function' ? density(name, weight) : density;
    expectShare('prune', `density of ${name}`, share);
    return { weight, share };
  });
  const masks = new Map(
    shares.map(({ weight, share }) => [weight, maskOf(weight.data, share)] as const),
  );
  const pruning = new Pruning(masks);
  pruning.restore();
  return pruning;
}

function maskOf(values: ArrayLike<number>, share: number): Uint8Array {
  const magnitudes = Float64Array.from(values, Math.abs);
  const kept = Math.round(share * magnitudes.length);
  if (kept === 0) return new Uint8Array(magnitudes.length);
  const sorted = magnitudes.slice().sort();
  const least = sorted[sorted.length - kept];
  let equalsLeft = kept - (sorted.length - sorted.findLastIndex((value) => value <= least) - 1);
  return Uint8Array.from(magnitudes, (value) => {
    if (value !== least) return value > least ? 1 : 0;
    return equalsLeft-- > 0 ? 1 : 0;
  });
}
