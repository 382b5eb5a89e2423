import type { Tensor } from '@firelight/tensor';
import type fc from 'fast-check';

/** One way to call an operation: inputs to differentiate by, and the call. */
export interface OpCall {
  readonly inputs: readonly Tensor[];
  readonly run: (...inputs: Tensor[]) => Tensor;
}

/** Calls of an operation over random shapes and options, with inputs away from its kinks. */
export interface OpCase {
  /** Name under which the operation was defined. */
  readonly op: string;
  readonly calls: fc.Arbitrary<OpCall>;
}
