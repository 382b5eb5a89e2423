import { expectCount, expectRate, type Schedule } from './schedule.ts';

/** Multiplies by `gamma` every `stepSize` steps: lr · gamma^⌊step / stepSize⌋. */
export function stepDecay({
  learningRate,
  stepSize,
  gamma = 0.1,
}: {
  readonly learningRate: number;
  readonly stepSize: number;
  readonly gamma?: number;
}): Schedule {
  expectRate('stepDecay', 'learningRate', learningRate);
  expectCount('stepDecay', 'stepSize', stepSize);
  expectRate('stepDecay', 'gamma', gamma);
  return (step) => learningRate * gamma ** Math.floor(step / stepSize);
}
