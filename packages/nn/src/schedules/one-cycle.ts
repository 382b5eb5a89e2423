import { ValueError } from '@firelight/tensor';
import { expectInteger, expectThat } from '@firelight/tensor/extend';
import { expectNotNegative } from '../core/checks.ts';
import type { Schedule } from './schedule.ts';

/**
 * Rises from max / divFactor to max and falls to max / divFactor / finalDivFactor, both along half a
 * cosine; the last of `totalSteps` steps has the least.
 *
 * @throws ValueError, when asked for a step behind the last
 * @see Smith and Topin, arXiv:1708.07120; torch.optim.lr_scheduler.OneCycleLR
 */
export function oneCycle({
  max,
  totalSteps,
  riseShare = 0.3,
  divFactor = 25,
  finalDivFactor = 1e4,
}: {
  readonly max: number;
  readonly totalSteps: number;
  /** Share of the steps in which it rises, in (0, 1). */
  readonly riseShare?: number;
  readonly divFactor?: number;
  readonly finalDivFactor?: number;
}): Schedule {
  expectNotNegative('oneCycle', 'max', max);
  expectInteger('oneCycle', 'totalSteps', totalSteps, 1);
  expectThat(riseShare > 0 && riseShare < 1, 'oneCycle', 'riseShare', 'in (0, 1)', riseShare);
  if (!(divFactor >= 1 && finalDivFactor >= 1)) {
    throw new ValueError(
      `oneCycle: divFactor and finalDivFactor must be ≥ 1, got ${divFactor} and ${finalDivFactor}`,
    );
  }
  const first = max / divFactor;
  const last = first / finalDivFactor;
  const top = riseShare * totalSteps - 1;
  return (step) => {
    if (step >= totalSteps) {
      throw new ValueError(
        `oneCycle: step ${step} is behind the last of ${totalSteps}; make totalSteps as long as the ` +
          'training',
      );
    }
    return step <= top
      ? between(first, max, top === 0 ? 1 : step / top)
      : between(max, last, (step - top) / (totalSteps - 1 - top));
  };
}

/** From `start` to `end` along half a cosine. */
function between(start: number, end: number, share: number): number {
  return end + 0.5 * (start - end) * (1 + Math.cos(Math.PI * share));
}
