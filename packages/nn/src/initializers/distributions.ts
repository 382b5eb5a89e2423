import { type Generator, type Shape, ValueError } from '@firelight/tensor';
import { elementCount } from '@firelight/tensor/extend';
import { type FanMode, fanOf, fansOf, gainOf, type Nonlinearity } from './fans.ts';
import type { Initializer } from './initializer.ts';

/** Rules of mindspore/common/initializer.py, with its defaults. */

/** Every element the same. */
export function constant(value: number): Initializer {
  return (shape) => new Float64Array(elementCount(shape)).fill(value);
}

/** Every element 0. */
export const zeros = (): Initializer => constant(0);

/** Every element 1. */
export const ones = (): Initializer => constant(1);

/** N(mean, sigma²); σ is 0.01 by default. */
export function normal({ sigma = 0.01, mean = 0 } = {}): Initializer {
  return (shape, generator) => generator.normal(elementCount(shape), { mean, std: sigma });
}

/** N(mean, sigma²) without what lies more than 2σ from the mean; not rescaled afterwards. */
export function truncatedNormal({ sigma = 0.01, mean = 0 } = {}): Initializer {
  return (shape, generator) => {
    const values = generator.normal(elementCount(shape));
    for (let i = 0; i < values.length; i++) {
      while (Math.abs(values[i]) > 2) values[i] = generator.normal(1)[0];
      values[i] = mean + sigma * values[i];
    }
    return values;
  };
}

/** U(−scale, scale); 0.07 by default. */
export function uniform({ scale = 0.07 } = {}): Initializer {
  return (shape, generator) => generator.uniform(elementCount(shape), { low: -scale, high: scale });
}

/** What `heNormal` and `heUniform` scale by. */
export interface HeOptions {
  /** Slope below 0 of a leaky_relu; 0 by default. */
  readonly negativeSlope?: number;
  readonly mode?: FanMode;
  readonly nonlinearity?: Nonlinearity;
}

function heStd(shape: Shape, options: HeOptions): number {
  const { negativeSlope = 0, mode = 'fan_in', nonlinearity = 'leaky_relu' } = options;
  return gainOf(nonlinearity, negativeSlope) / Math.sqrt(fanOf(shape, mode));
}

/**
 * U(−b, b), b = √3 · gain / √fan, which is √(6 / fanIn) by default.
 *
 * @see He et al., arXiv:1502.01852
 */
export function heUniform(options: HeOptions = {}): Initializer {
  return (shape, generator) => {
    const bound = Math.sqrt(3) * heStd(shape, options);
    return generator.uniform(elementCount(shape), { low: -bound, high: bound });
  };
}

/** N(0, gain² / fan), which is N(0, 2 / fanIn) by default. */
export function heNormal(options: HeOptions = {}): Initializer {
  return (shape, generator) =>
    generator.normal(elementCount(shape), { std: heStd(shape, options) });
}

/**
 * U(−b, b), b = gain · √(6 / (fanIn + fanOut)).
 *
 * @see Glorot & Bengio, AISTATS 2010
 */
export function xavierUniform({ gain = 1 } = {}): Initializer {
  return (shape, generator) => {
    const { fanIn, fanOut } = fansOf(shape);
    const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
    return generator.uniform(elementCount(shape), { low: -bound, high: bound });
  };
}

/** N(0, gain² · 2 / (fanIn + fanOut)). */
export function xavierNormal({ gain = 1 } = {}): Initializer {
  return (shape, generator) => {
    const { fanIn, fanOut } = fansOf(shape);
    return generator.normal(elementCount(shape), { std: gain * Math.sqrt(2 / (fanIn + fanOut)) });
  };
}

/** The variance of `varianceScaling`, and how it is drawn. */
export interface VarianceScalingOptions {
  readonly scale?: number;
  readonly mode?: FanMode | 'fan_avg';
  readonly distribution?: 'truncated_normal' | 'untruncated_normal' | 'uniform';
}

/** Standard deviation of N(0, 1) without what lies beyond ±2. */
const TRUNCATED_STD = 0.8796256610342398;

/**
 * Variance scale / fan from the named distribution. (MindSpore's default falls into its uniform
 * branch by a misspelt name; here the name is the distribution.)
 */
export function varianceScaling(options: VarianceScalingOptions = {}): Initializer {
  const { scale = 1, mode = 'fan_in', distribution = 'truncated_normal' } = options;
  return (shape: Shape, generator: Generator) => {
    const { fanIn, fanOut } = fansOf(shape);
    const fan = mode === 'fan_avg' ? (fanIn + fanOut) / 2 : fanOf(shape, mode);
    const std = Math.sqrt(scale / fan);
    switch (distribution) {
      case 'truncated_normal':
        return truncatedNormal({ sigma: std / TRUNCATED_STD })(shape, generator);
      case 'untruncated_normal':
        return normal({ sigma: std })(shape, generator);
      case 'uniform':
        return uniform({ scale: Math.sqrt(3) * std })(shape, generator);
      default:
        throw new ValueError(
          'varianceScaling: distribution must be truncated_normal, untruncated_normal or ' +
            `uniform, got '${distribution satisfies never}'`,
        );
    }
  };
}
