import { ValueError } from '@firelight/tensor';

/** The learning rate of a step, counted from 0; what optimizers take as `learningRate`. */
export type Schedule = (step: number) => number;

/** The first `steps` learning rates of a schedule, as float32. */
export function toArray(schedule: Schedule, steps: number): Float32Array {
  expectCount('toArray', 'steps', steps);
  return Float32Array.from({ length: steps }, (_, step) => schedule(step));
}

/** Rises linearly from `from` to the schedule in `steps` steps, and then is the schedule from there on. */
export function warmup(
  schedule: Schedule,
  { steps, from = 0 }: { readonly steps: number; readonly from?: number },
): Schedule {
  expectCount('warmup', 'steps', steps);
  expectRate('warmup', 'from', from);
  return (step) => {
    const rate = schedule(Math.max(step, steps));
    return step >= steps ? rate : from + ((rate - from) * step) / steps;
  };
}

/** @throws ValueError unless `value` is an integer ≥ 1 */
export function expectCount(schedule: string, name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new ValueError(`${schedule}: ${name} must be an integer ≥ 1, got ${value}`);
  }
}

/** @throws ValueError unless `value` is a finite number ≥ 0 */
export function expectRate(schedule: string, name: string, value: number): void {
  if (!(value >= 0 && Number.isFinite(value))) {
    throw new ValueError(`${schedule}: ${name} must be a number ≥ 0, got ${value}`);
  }
}
