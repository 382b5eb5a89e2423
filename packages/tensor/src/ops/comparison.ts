import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { CompareOp } from '../backend/contract.ts';
import { comparisons } from '../backend/kernels.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { TensorLike } from './operands.ts';
import { comparisonOperands } from './promotion.ts';

/* @__NO_SIDE_EFFECTS__ */
function defineComparison(name: CompareOp) {
  const op = defineOp<[NdArray, NdArray], null, null>(name, {
    forward: ([a, b]) => ({ y: comparisons().compare(name, a, b), saved: null }),
    backward: 'none',
    reason: 'the result is boolean',
  });
  return (a: TensorLike, b: TensorLike): Tensor => op(comparisonOperands(name, a, b), null);
}

/**
 * a = b as bool, elementwise with broadcasting; NaN equals nothing. All comparisons are exact between
 * any two dtypes; a plain number beside floats is rounded to their dtype first.
 */
export const equal = defineComparison('equal');
/** a ≠ b as bool, elementwise with broadcasting. */
export const notEqual = defineComparison('notEqual');
/** a > b as bool, elementwise with broadcasting. */
export const greater = defineComparison('greater');
/** a ≥ b as bool, elementwise with broadcasting. */
export const greaterEqual = defineComparison('greaterEqual');
/** a < b as bool, elementwise with broadcasting. */
export const less = defineComparison('less');
/** a ≤ b as bool, elementwise with broadcasting. */
export const lessEqual = defineComparison('lessEqual');
