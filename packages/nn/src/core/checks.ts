import { expectThat } from '@firelight/tensor/extend';

/** Throws a `ValueError` unless `value` is a finite number from 0 on. */
export function expectNotNegative(op: string, name: string, value: number): void {
  expectThat(value >= 0 && Number.isFinite(value), op, name, 'a number ≥ 0', value);
}

/** Throws a `ValueError` unless `value` is above 0. */
export function expectPositive(op: string, name: string, value: number): void {
  expectThat(typeof value === 'number' && value > 0, op, name, '> 0', value);
}

/** Throws a `ValueError` unless `value` is in [0, 1), as what is kept of something at each step. */
export function expectBelowOne(op: string, name: string, value: number): void {
  const isRight = typeof value === 'number' && value >= 0 && value < 1;
  expectThat(isRight, op, name, 'in [0, 1)', value);
}
