import { type DType, newTypedArray } from '../../core/dtype.ts';
import { NdArray } from '../../core/ndarray.ts';
import type { Shape } from '../../core/shape.ts';

/** Sums that were made in float64, as an array of `dtype`. */
export function rounded(sums: Float64Array, shape: Shape, dtype: DType): NdArray {
  const out = newTypedArray(dtype, sums.length);
  out.set(sums);
  return NdArray.fromTypedArray(out, shape, dtype);
}
