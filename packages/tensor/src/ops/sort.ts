import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { defineKernel } from '../backend/define-kernel.ts';
import { expectBoolean, expectThat, normalizeAxis, readOptions } from '../core/checks.ts';
import { NdArray } from '../core/ndarray.ts';
import { splitAtAxis } from '../core/shape.ts';
import { asTensor, type TensorLike } from './operands.ts';
import { asLines, reshape } from './reshape.ts';
import { slice } from './slice.ts';
import { takeAlongAxis } from './take-along-axis.ts';

/** NaN counts as larger than all numbers. */
function compare(a: number, b: number): number {
  if (a === b) return 0;
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  return Number.isNaN(b) || a < b ? -1 : 1;
}

const argsortKernel = defineKernel({
  reference(x: NdArray, axis: number, descending: boolean): NdArray {
    const [before, length, after] = splitAtAxis(x.shape, axis);
    const { data } = x;
    const out = new Int32Array(x.size);
    const order = new Array<number>(length);
    for (let line = 0; line < before * after; line++) {
      const start = Math.floor(line / after) * length * after + (line % after);
      for (let i = 0; i < length; i++) order[i] = i;
      // The sort of JavaScript is stable.
      order.sort((i, j) => {
        const rank = compare(data[start + i * after], data[start + j * after]);
        return descending ? -rank : rank;
      });
      for (let i = 0; i < length; i++) out[start + i * after] = order[i];
    }
    return NdArray.fromTypedArray(out, x.shape, 'int32');
  },
});

const argsortOp = defineOp<[NdArray], { axis: number; descending: boolean }, null>('argsort', {
  forward: ([x], { axis, descending }) => ({ y: argsortKernel(x, axis, descending), saved: null }),
  backward: 'none',
  reason: 'positions do not change with the values, except in jumps',
});

/** In which order `sort` and `argsort` put elements. */
export interface SortOptions {
  /** From the largest to the smallest; false by default. */
  readonly descending?: boolean;
}

function sorted(op: string, x: TensorLike, axis: number, options: SortOptions) {
  const { descending = false } = readOptions(op, options, ['descending']);
  expectBoolean(op, 'descending', descending);
  const given = asTensor(op, 'x', x);
  const input = asLines(given);
  const along = normalizeAxis(op, axis, input.shape);
  const order = argsortOp([input], { axis: along, descending });
  return { input, along, order, shape: given.shape };
}

/**
 * Positions (int32) that sort x along an axis: `takeAlongAxis(x, argsort(x))` is sorted. Equal elements
 * stay in their order, and NaN counts as the largest. A scalar is a line of one element.
 *
 * @throws ValueError if the axis does not exist
 * @see numpy.argsort with kind 'stable'
 */
export function argsort(x: TensorLike, axis = -1, options: SortOptions = {}): Tensor {
  const { order, shape } = sorted('argsort', x, axis, options);
  return reshape(order, shape);
}

/**
 * The elements along an axis in order; NaN counts as the largest. Gradients go where elements came from.
 * A scalar is a line of one element.
 *
 * @throws ValueError if the axis does not exist
 */
export function sort(x: TensorLike, axis = -1, options: SortOptions = {}): Tensor {
  const { input, along, order, shape } = sorted('sort', x, axis, options);
  return reshape(takeAlongAxis(input, order, along), shape);
}

/**
 * The k largest elements along an axis and their positions (int32): always in order, the largest first, and
 * of equal ones the first. A scalar is a line of one element.
 *
 * @param options `axis`: the last by default; `largest`: false for the smallest, the smallest first
 * @throws ValueError unless k is an integer from 0 to the length of the axis
 * @see torch.topk
 */
export function topK(
  x: TensorLike,
  k: number,
  options: { axis?: number; largest?: boolean } = {},
): { values: Tensor; indices: Tensor } {
  const { axis = -1, largest = true } = readOptions('topK', options, ['axis', 'largest']);
  expectBoolean('topK', 'largest', largest);
  const given = asTensor('topK', 'x', x);
  const input = asLines(given);
  const along = normalizeAxis('topK', axis, input.shape);
  const length = input.shape[along];
  const isRight = Number.isInteger(k) && k >= 0 && k <= length;
  expectThat(isRight, 'topK', 'k', `an integer from 0 to the axis's length of ${length}`, k);
  const order = argsortOp([input], { axis: along, descending: largest });
  const indices = slice(order, [...input.shape.slice(0, along).map(() => null), [0, k]]);
  const values = takeAlongAxis(input, indices, along);
  // One of a scalar is a scalar again; none is an empty line.
  return given.rank === 0 && k === 1
    ? { values: reshape(values, []), indices: reshape(indices, []) }
    : { values, indices };
}
