import { expectInteger } from '@firelight/tensor/extend';
import { expectNotNegative } from '../core/checks.ts';
import type { Schedule } from './schedule.ts';

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
  expectNotNegative('stepDecay', 'learningRate', learningRate);
  expectInteger('stepDecay', 'stepSize', stepSize, 1);
  expectNotNegative('stepDecay', 'gamma', gamma);
  return (step) => learningRate * gamma ** Math.floor(step / stepSize);
}
