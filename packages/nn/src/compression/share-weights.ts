import type { Tensor } from '@firelight/tensor';
import { expectThat, readOptions } from '@firelight/tensor/extend';
import type { Module } from '../module/module.ts';
import type { NamePattern } from '../module/name-patterns.ts';
import type { WeightConstraint } from './constrained-optimizer.ts';
import { kMeans, nearestOf } from './k-means.ts';
import { setElements, weightsOf } from './weights.ts';

/** How many values weights share. */
export interface ShareOptions {
  /**
   * Bits of a weight's code, from 1 to 8: the weights of a parameter share 2^bits values, of which 0 is
   * one where some are 0. A function gives each parameter its own.
   */
  readonly bits: number | ((name: string, weight: Tensor) => number);
  /** Which parameters' weights; by default those with two axes or more. */
  readonly parameters?: NamePattern;
}

/** Which of its values each weight of a parameter has. */
interface Sharing {
  /** `ZERO` for those that are 0 and stay so. */
  readonly codes: Uint16Array;
  /** Weights of each code. */
  readonly counts: Uint32Array;
}

const ZERO = 0xff_ff;

/**
 * Which weights share a value. To train the values: `new ConstrainedOptimizer(optimizer, shared)`; the
 * gradient of a value is the sum of those of its weights, and zeros stay zeros.
 */
export class SharedWeights implements WeightConstraint {
  readonly #sharings: ReadonlyMap<Tensor, Sharing>;

  constructor(sharings: ReadonlyMap<Tensor, Sharing>) {
    this.#sharings = sharings;
  }

  prepareGradients(): void {
    for (const [{ grad }, sharing] of this.#sharings) {
      if (grad !== null) spread(grad, sharing, (sum) => sum);
    }
  }

  restore(): void {
    // Momenta from before may have moved weights of one value apart: the mean is theirs.
    for (const [weight, sharing] of this.#sharings) {
      spread(weight, sharing, (sum, count) => sum / count);
    }
  }
}

/** Gives all elements of a code the same value, made of their sum and number. */
function spread(
  target: Tensor,
  { codes, counts }: Sharing,
  makeValue: (sum: number, count: number) => number,
): void {
  const data = target.data as Float32Array | Float64Array;
  const sums = new Float64Array(counts.length);
  codes.forEach((code, i) => {
    if (code !== ZERO) sums[code] += data[i];
  });
  const values = sums.map((sum, code) => makeValue(sum, counts[code]));
  setElements(
    target,
    data.map((_, i) => (codes[i] === ZERO ? 0 : values[codes[i]])),
  );
}

/**
 * Replaces the weights of each parameter by the nearest of a few values, found by k-means: what then
 * takes `bits` bits a weight in a file, and less with Huffman's codes (`saveCheckpoint` to `.flc`).
 *
 * @throws ValueError for bits that are not an integer from 1 to 8, a weight that is not finite, or a pattern that
 *   names no parameter
 * @see Han et al., "Deep Compression", arXiv:1510.00149, section 3
 */
export function shareWeights(network: Module, options: ShareOptions): SharedWeights {
  const { bits, parameters } = readOptions('shareWeights', options, ['bits', 'parameters']);
  const plans = weightsOf('shareWeights', network, parameters).map(({ name, weight }) => {
    const own = typeof bits === 'function' ? bits(name, weight) : bits;
    const isRight = Number.isInteger(own) && own >= 1 && own <= 8;
    expectThat(isRight, 'shareWeights', `bits of ${name}`, 'an integer from 1 to 8', own);
    return { weight, bits: own };
  });
  return new SharedWeights(new Map(plans.map((plan) => [plan.weight, share(plan)] as const)));
}

/** Gives weights their shared values. */
function share({ weight, bits }: { weight: Tensor; bits: number }): Sharing {
  const { data } = weight;
  const others = data.filter((value) => value !== 0);
  const hasZeros = others.length < data.length;
  const centroids = kMeans(others, 2 ** bits - (hasZeros ? 1 : 0));
  const nearest = nearestOf(data, centroids);
  const codes = nearest.map((code, i) => (data[i] === 0 ? ZERO : code));
  const counts = new Uint32Array(centroids.length);
  for (const code of codes) if (code !== ZERO) counts[code]++;
  setElements(
    weight,
    Float64Array.from(codes, (code) => (code === ZERO ? 0 : centroids[code])),
  );
  return { codes, counts };
}
