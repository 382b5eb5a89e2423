import type { Tensor } from '../autograd/tensor.ts';
import { expectInteger, expectIntegerList, expectShape, normalizeAxis } from '../core/checks.ts';
import { broadcastTo } from './broadcast-to.ts';
import { asAnyTensor, type TensorLike } from './operands.ts';
import { reshape } from './reshape.ts';

/**
 * Puts copies of a whole tensor one after the other: `tile([1, 2], [2])` is [1, 2, 1, 2].
 *
 * @param repeats copies along each axis, aligned at the last one; 1 for axes that are left out
 * @throws ValueError unless they are integers ≥ 0
 * @see numpy.tile
 */
export function tile(x: TensorLike, repeats: readonly number[]): Tensor {
  const given = asAnyTensor('tile', 'x', x);
  expectIntegerList('tile', 'repeats', repeats, 0);
  const rank = Math.max(given.rank, repeats.length);
  const shape = [...new Array<number>(rank - given.rank).fill(1), ...given.shape];
  const counts = [...new Array<number>(rank - repeats.length).fill(1), ...repeats];
  const result = shape.map((length, i) => counts[i] * length);
  expectShape('tile', result);
  // Between two axes, one of the copies.
  const apart = reshape(
    given,
    shape.flatMap((length) => [1, length]),
  );
  return reshape(
    broadcastTo(
      apart,
      shape.flatMap((length, i) => [counts[i], length]),
    ),
    result,
  );
}

/**
 * Puts copies of each entry of an axis one after the other: `repeat([1, 2], 2)` is [1, 1, 2, 2].
 *
 * @param axis by default, all elements are repeated, flat
 * @throws ValueError unless `count` is an integer ≥ 0, or if the axis does not exist
 * @see numpy.repeat, torch.repeat_interleave
 */
export function repeat(x: TensorLike, count: number, axis?: number): Tensor {
  const given = asAnyTensor('repeat', 'x', x);
  expectInteger('repeat', 'count', count, 0);
  const input = axis === undefined ? reshape(given, [-1]) : given;
  const along = normalizeAxis('repeat', axis ?? 0, input.shape);
  const [before, after] = [input.shape.slice(0, along + 1), input.shape.slice(along + 1)];
  const result = input.shape.map((length, i) => (i === along ? length * count : length));
  expectShape('repeat', result);
  const apart = reshape(input, [...before, 1, ...after]);
  return reshape(broadcastTo(apart, [...before, count, ...after]), result);
}
