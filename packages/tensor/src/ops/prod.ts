import type { Tensor } from '../autograd/tensor.ts';
import { elementCount, reducedShape } from '../core/shape.ts';
import { add, mul } from './arithmetic.ts';
import { concat } from './concat.ts';
import { asTensor, type TensorLike } from './operands.ts';
import { permute } from './permute.ts';
import { asTerms } from './promotion.ts';
import { type AxisOption, type ReduceOptions, readReduction, sum } from './reduce.ts';
import { reshape } from './reshape.ts';
import { slice } from './slice.ts';

/**
 * y = Π x over the given axes; 1 for nothing. Booleans and narrow integers are multiplied as int32, which wraps
 * modulo 2³². The gradient is right where elements are 0.
 *
 * @throws ValueError or ShapeError if an axis does not exist or is named twice
 */
export function prod(x: TensorLike, axis?: AxisOption, options: ReduceOptions = {}): Tensor {
  const input = asTerms(asTensor('prod', 'x', x));
  const { axes, keepDims } = readReduction('prod', input, axis, options);
  const kept = input.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  let length = elementCount(axes.map((i) => input.shape[i]));
  const rest = elementCount(kept.map((i) => input.shape[i]));
  let factors = reshape(permute(input, [...axes, ...kept]), [length, rest]);
  // Halves are multiplied by each other: products alone, so that no factor is divided by.
  while (length > 1) {
    const half = Math.ceil(length / 2);
    const [first, last] = [slice(factors, [[0, length - half]]), slice(factors, [[half, length]])];
    const product = mul(first, last);
    factors = length % 2 === 0 ? product : concat([product, slice(factors, [[half - 1, half]])]);
    length = half;
  }
  const shape = reducedShape(input.shape, axes, { keepDims });
  // Of nothing 1, made of a sum so that it has a history as any other.
  return length === 0 ? add(sum(input, axes, { keepDims }), 1) : reshape(factors, shape);
}
