import { NdArray } from '../core/ndarray.ts';
import type { Kernels } from './contract.ts';

/** Calls of a kernel that a backend leaves to the next one, although it has the kernel. */
export interface Declined<Arguments extends readonly unknown[] = readonly unknown[]> {
  /** Which calls, and why where that is not plain; `describeBackend()` shows it. */
  readonly calls: string;
  /** Whether the call with these arguments is one of them. */
  readonly include: (...values: Arguments) => boolean;
}

/** What a backend declines, by kernel. */
export type DeclinedCalls = {
  readonly [Name in keyof Kernels]?: readonly Declined<Parameters<Kernels[Name]>>[];
};

/**
 * Whether an array among the arguments of a kernel, or inside of them, passes a test. Every call of a
 * kernel asks, so it makes no lists.
 */
function someArray(value: unknown, test: (array: NdArray) => boolean): boolean {
  if (value instanceof NdArray) return test(value);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  if (Array.isArray(value)) {
    for (const part of value) if (someArray(part, test)) return true;
    return false;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name in fields) if (someArray(fields[name], test)) return true;
  return false;
}

export const WITHOUT_ELEMENTS: Declined = {
  calls: 'arrays without elements',
  include: (...values) => someArray(values, ({ size }) => size === 0),
};

/** Calls with any array that is not float32. */
export const NOT_FLOAT32: Declined = {
  calls: 'other dtypes than float32',
  include: (...values) => someArray(values, ({ dtype }) => dtype !== 'float32'),
};

/** For kernels that take int32 arrays (labels, positions) beside those of the operation's dtype. */
export const NOT_FLOAT32_WITH_INDICES: Declined = {
  calls: NOT_FLOAT32.calls,
  include: (...values) =>
    someArray(values, ({ dtype }) => dtype !== 'float32' && dtype !== 'int32'),
};
