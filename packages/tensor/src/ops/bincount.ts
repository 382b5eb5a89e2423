import type { Tensor } from '../autograd/tensor.ts';
import { expectInteger, readOptions } from '../core/checks.ts';
import { ValueError } from '../core/errors.ts';
import { ones, zeros } from './create.ts';
import { asIntegers, type TensorLike } from './operands.ts';
import { reshape } from './reshape.ts';
import { scatterAdd } from './scatter.ts';

/**
 * How often each number occurs: y_n = |{i : x_i = n}|, int32, such as the samples of each class.
 *
 * @param x integers ≥ 0 of any shape
 * @param options `minLength`: the least length of the result, 0 by default
 * @returns `[max(minLength, max x + 1)]`
 * @throws DTypeError for other dtypes; ValueError for a number below 0
 * @see numpy.bincount, torch.bincount
 */
export function bincount(x: TensorLike, options: { minLength?: number } = {}): Tensor {
  const { minLength = 0 } = readOptions('bincount', options, ['minLength']);
  expectInteger('bincount', 'minLength', minLength, 0);
  const input = asIntegers('bincount', 'x', x);
  let length = minLength;
  for (const value of input.array.data) {
    if (value < 0) throw new ValueError(`bincount: x must hold no number below 0, got ${value}`);
    length = Math.max(length, value + 1);
  }
  const places = reshape(input, [input.size]);
  const counts = zeros([length], { dtype: 'int32' });
  return scatterAdd(counts, places, ones([input.size], { dtype: 'int32' }), 0);
}
