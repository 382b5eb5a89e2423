import type { Tensor } from '../autograd/tensor.ts';
import { expectThat, readOptions } from '../core/checks.ts';
import { ValueError } from '../core/errors.ts';
import { equal } from './comparison.ts';
import { gatherOp } from './gather.ts';
import { asIntegers, asTensor, expectRank, type TensorLike } from './operands.ts';
import { reshape } from './reshape.ts';
import { where } from './where.ts';

/**
 * Rows of a table by their numbers: y[…, :] = weight[indices[…], :].
 *
 * @param indices integers of any shape `[...]`, in [0, V)
 * @param weight `[V, D]`
 * @param options `paddingIndex`: a row that gets no gradient; negative ones count from the end
 * @returns `[..., D]`
 * @throws ValueError for a number outside [0, V), or a `paddingIndex` outside [−V, V); ShapeError unless the table is a matrix; DTypeError for
 *   other indices
 * @see torch.nn.functional.embedding
 */
export function embedding(
  indices: TensorLike,
  weight: TensorLike,
  options: { paddingIndex?: number } = {},
): Tensor {
  const { paddingIndex } = readOptions('embedding', options, ['paddingIndex']);
  const rows = asIntegers('embedding', 'indices', indices);
  const table = asTensor('embedding', 'weight', weight);
  expectRank('embedding', 'weight', table, 'V, D');
  const [V] = table.shape;
  const outside = rows.array.data.find((row) => row < 0 || row >= V);
  if (outside !== undefined)
    throw new ValueError(`embedding: index ${outside} is outside [0, ${V})`);
  const y = gatherOp([table, rows], { axis: 0 });
  if (paddingIndex === undefined) return y;
  const isRow = Number.isInteger(paddingIndex) && paddingIndex >= -V && paddingIndex < V;
  expectThat(isRow, 'embedding', 'paddingIndex', `an integer in [${-V}, ${V})`, paddingIndex);
  const padding = paddingIndex < 0 ? paddingIndex + V : paddingIndex;
  return where(reshape(equal(rows, padding), [...rows.shape, 1]), y.detach(), y);
}
