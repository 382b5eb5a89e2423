import { expectInteger, newTypedArray } from '@firelight/tensor/extend';
import { expectNotNegative } from '../core/checks.ts';

/** The learning rate of a step, counted from 0; what optimizers take as `learningRate`. */
export type Schedule = (step: number) => number;

/** The first `steps` learning rates of a schedule, as float32. */
export function toArray(schedule: Schedule, steps: number): Float32Array {
  expectInteger('toArray', 'steps', steps, 1);
  return newTypedArray('float32', steps).map((_, step) => schedule(step));
}

/** Rises linearly from `from` to the schedule in `steps` steps, and then is the schedule from there on. */
export function warmup(
  schedule: Schedule,
  { steps, from = 0 }: { readonly steps: number; readonly from?: number },
): Schedule {
  expectInteger('warmup', 'steps', steps, 1);
  expectNotNegative('warmup', 'from', from);
  return (step) => {
    const rate = schedule(Math.max(step, steps));
    return step >= steps ? rate : from + ((rate - from) * step) / steps;
  };
}
