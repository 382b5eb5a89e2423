import { expectInteger } from '@firelight/tensor/extend';
import { expectNotNegative } from '../core/checks.ts';
import type { Schedule } from './schedule.ts';

/**
 * Falls along half a cosine and begins again, each time over `factor` times as many steps:
 * min + ½ (max − min) (1 + cos(π · t / T)), t of T steps into the cycle.
 *
 * @see SGDR, arXiv:1608.03983, equation 5
 */
export function cosineRestarts({
  max,
  min = 0,
  firstCycle,
  factor = 1,
}: {
  readonly max: number;
  readonly min?: number;
  /** Steps of the first cycle. */
  readonly firstCycle: number;
  /** A whole number ≥ 1. */
  readonly factor?: number;
}): Schedule {
  expectNotNegative('cosineRestarts', 'max', max);
  expectNotNegative('cosineRestarts', 'min', min);
  expectInteger('cosineRestarts', 'firstCycle', firstCycle, 1);
  expectInteger('cosineRestarts', 'factor', factor, 1);
  return (step) => {
    let into = step;
    let length = firstCycle;
    while (into >= length) {
      into -= length;
      length *= factor;
    }
    return min + 0.5 * (max - min) * (1 + Math.cos((Math.PI * into) / length));
  };
}
