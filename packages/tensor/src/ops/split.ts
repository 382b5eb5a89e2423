import type { Tensor } from '../autograd/tensor.ts';
import { expectInteger, expectIntegerList, normalizeAxis } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import { asAnyTensor, type TensorLike } from './operands.ts';
import { reshape } from './reshape.ts';
import { slice } from './slice.ts';

function cut(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  let end = 0;
  return sizes.map((size) => {
    const start = end;
    end += size;
    return slice(
      x,
      x.shape.map((_, i) => (i === axis ? [start, end] : null)),
    );
  });
}

/**
 * Cuts a tensor into parts along an axis.
 *
 * @param sizes lengths of the parts, whose sum is that of the axis; or the length of each part, of which
 *   the last may be shorter (as PyTorch; see `chunk` for a number of parts)
 * @throws ShapeError if the sizes do not add up; ValueError for sizes that are no integers ≥ 0, or one
 *   size that is not ≥ 1, or an axis that does not exist
 * @see torch.split
 */
export function split(x: TensorLike, sizes: number | readonly number[], axis = 0): Tensor[] {
  const input = asAnyTensor('split', 'x', x);
  const along = normalizeAxis('split', axis, input.shape);
  const length = input.shape[along];
  if (typeof sizes === 'number') {
    expectInteger('split', 'sizes', sizes, 1);
    const count = Math.max(1, Math.ceil(length / sizes));
    const lengths = Array.from({ length: count }, (_, i) => Math.min(sizes, length - i * sizes));
    return cut(input, lengths, along);
  }
  expectIntegerList('split', 'sizes', sizes, 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total !== length) {
    const rule = `sizes ${sizes.join(' + ')} = ${total} are not the length ${length} of axis ${along}`;
    throw shapeError('split', rule, { input });
  }
  return cut(input, sizes, along);
}

/**
 * Cuts a tensor into a number of parts along an axis: as long as each other, the last one shorter or left
 * out where the length is no multiple.
 *
 * @throws ValueError unless `count` is an integer ≥ 1, or if the axis does not exist
 * @see torch.chunk
 */
export function chunk(x: TensorLike, count: number, axis = 0): Tensor[] {
  const input = asAnyTensor('chunk', 'x', x);
  expectInteger('chunk', 'count', count, 1);
  const length = input.shape[normalizeAxis('chunk', axis, input.shape)];
  return split(input, Math.max(1, Math.ceil(length / count)), axis);
}

/**
 * The slices of a tensor along an axis, without that axis; `stack` puts them together again.
 *
 * @throws ValueError if the axis does not exist
 * @see torch.unbind
 */
export function unstack(x: TensorLike, axis = 0): Tensor[] {
  const input = asAnyTensor('unstack', 'x', x);
  const along = normalizeAxis('unstack', axis, input.shape);
  if (input.shape[along] === 0) return [];
  const shape = input.shape.toSpliced(along, 1);
  return split(input, 1, along).map((part) => reshape(part, shape));
}
