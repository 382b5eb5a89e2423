import { expectCount, expectRate, type Schedule } from './schedule.ts';

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
  expectRate('cosineRestarts', 'max', max);
  expectRate('cosineRestarts', 'min', min);
  expectCount('cosineRestarts', 'firstCycle', firstCycle);
  expectCount('cosineRestarts', 'factor', factor);
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
