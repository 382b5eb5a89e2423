import type { Tensor } from '../autograd/tensor.ts';
import { type CreateOptions, filled } from './create.ts';
import { asAnyTensor, type TensorLike } from './operands.ts';

/** New tensors in the shape of others, and in their dtype unless another is asked for. */

function filledLike(
  op: string,
  x: TensorLike,
  value: number | boolean,
  options: CreateOptions,
): Tensor {
  const { shape, dtype } = asAnyTensor(op, 'x', x);
  return filled(op, shape, value, options, dtype);
}

/**
 * A tensor of the shape and dtype of x filled with one value.
 *
 * @throws ValueError if the dtype does not hold the value
 * @see numpy.full_like
 */
export function fullLike(
  x: TensorLike,
  value: number | boolean,
  options: CreateOptions = {},
): Tensor {
  return filledLike('fullLike', x, value, options);
}

/** Zeros in the shape and dtype of x. */
export function zerosLike(x: TensorLike, options: CreateOptions = {}): Tensor {
  return filledLike('zerosLike', x, 0, options);
}

/** Ones in the shape and dtype of x. */
export function onesLike(x: TensorLike, options: CreateOptions = {}): Tensor {
  return filledLike('onesLike', x, 1, options);
}
