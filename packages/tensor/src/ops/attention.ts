import type { Tensor } from '../autograd/tensor.ts';
import {
  expectBoolean,
  expectFinite,
  expectGenerator,
  expectThat,
  readOptions,
} from '../core/checks.ts';
import { DTypeError, shapeError } from '../core/errors.ts';
import type { Generator } from '../core/random.ts';
import { broadcastShapes, formatShape, sameShape } from '../core/shape.ts';
import { add, mul } from './arithmetic.ts';
import { notEqual } from './comparison.ts';
import { defaultGenerator, ones } from './create.ts';
import { dropout } from './dropout.ts';
import { logicalAnd } from './logic.ts';
import { matmul } from './matmul.ts';
import { asTensor, dtypeOf, expectSameFloating, type TensorLike } from './operands.ts';
import { max } from './reduce.ts';
import { repeat } from './repeat.ts';
import { softmax } from './softmax.ts';
import { tril } from './triangle.ts';
import { where } from './where.ts';

/** What a query may attend to, how products are scaled, and which weights are dropped. */
export interface AttentionOptions {
  /** Bool (true: attend) or floats added to the products; broadcasts to `[..., L, S]`. */
  readonly mask?: TensorLike;
  /** Whether query i attends to keys up to i alone; false by default. */
  readonly isCausal?: boolean;
  /** Factor of the products; 1 / √E by default. */
  readonly scale?: number;
  /**
   * Probability in [0, 1) that a weight of the softmax is dropped; 0 by default. It is not told whether a
   * training runs: give it only then.
   */
  readonly dropout?: number;
  /** What decides which weights are dropped. */
  readonly generator?: Generator;
}

/** The mask of booleans that options ask for; null for none. */
function booleanMask(
  mask: Tensor | null,
  isCausal: boolean,
  [L, S]: readonly number[],
): Tensor | null {
  const causal = isCausal ? tril(ones([L, S], { dtype: 'bool' })) : null;
  if (mask === null || mask.dtype !== 'bool') return causal;
  return causal === null ? mask : logicalAnd(mask, causal);
}

function expectMask(op: string, mask: Tensor, scores: Tensor): void {
  if (mask.dtype !== 'bool' && mask.dtype !== scores.dtype) {
    throw new DTypeError(`${op}: mask must be bool or ${scores.dtype}, got ${mask.dtype}`);
  }
  const common = broadcastShapes(mask.shape, scores.shape);
  if (common === null || !sameShape(common, scores.shape)) {
    const rule = `mask must broadcast to the products ${formatShape(scores.shape)}`;
    throw shapeError(op, rule, { mask });
  }
}

/** Keys or values for as many heads as there are of queries, where fewer are shared by several. */
function forHeads(x: Tensor, heads: number): Tensor {
  const own = x.shape[x.rank - 3];
  return own === heads || own === 1 || heads % own !== 0 ? x : repeat(x, heads / own, -3);
}

/** softmax(scores) along the last axis; a row of −∞ alone, which has none, gives 0. */
function maskedSoftmax(scores: Tensor): Tensor {
  const largest = max(scores.detach(), -1, { keepDims: true });
  const attends = notEqual(largest, Number.NEGATIVE_INFINITY);
  return where(attends, softmax(where(attends, scores, 0)), 0);
}

/**
 * y = dropout(softmax(scale · query · keyᵀ + mask)) · value. A query that may attend to nothing gives 0. Fewer heads
 * of keys and values than of queries are shared by neighbouring ones (grouped-query attention).
 *
 * @param query `[..., L, E]`
 * @param key `[..., S, E]`
 * @param value `[..., S, V]`
 * @returns `[..., L, V]`; leading axes (samples, heads) broadcast
 * @throws ShapeError if lengths do not match; DTypeError unless all are float32 or all float64, or for
 *   another mask; ValueError for a wrong option
 * @see Vaswani et al., arXiv:1706.03762; torch.nn.functional.scaled_dot_product_attention
 */
export function scaledDotProductAttention(
  query: TensorLike,
  key: TensorLike,
  value: TensorLike,
  options: AttentionOptions = {},
): Tensor {
  const op = 'scaledDotProductAttention';
  const given = readOptions(op, options, ['mask', 'isCausal', 'scale', 'dropout', 'generator']);
  const q = asTensor(op, 'query', query, dtypeOf(key));
  const operands = {
    query: q,
    key: asTensor(op, 'key', key, q.dtype),
    value: asTensor(op, 'value', value, q.dtype),
  };
  expectSameFloating(op, operands);
  if (Object.values(operands).some(({ rank }) => rank < 2)) {
    throw shapeError(op, 'needs at least two axes [..., length, features]', operands);
  }
  const heads = q.rank > 2 ? q.shape[q.rank - 3] : 1;
  const [k, v] = [operands.key, operands.value].map((x) => (x.rank > 2 ? forHeads(x, heads) : x));
  const [L, E] = q.shape.slice(-2);
  const [S] = k.shape.slice(-2);
  if (k.shape[k.rank - 1] !== E || v.shape[v.rank - 2] !== S) {
    const rule = 'query and key need as many features, key and value must be as long';
    throw shapeError(op, rule, operands);
  }
  const leading = broadcastShapes(q.shape.slice(0, -2), k.shape.slice(0, -2));
  if (leading === null || broadcastShapes(leading, v.shape.slice(0, -2)) === null) {
    throw shapeError(op, 'leading axes (samples, heads) do not broadcast', operands);
  }
  const { isCausal = false, scale = 1 / Math.sqrt(E), dropout: p = 0 } = given;
  const { generator = defaultGenerator } = given;
  expectBoolean(op, 'isCausal', isCausal);
  expectFinite(op, 'scale', scale);
  expectThat(typeof p === 'number' && p >= 0 && p < 1, op, 'dropout', 'in [0, 1)', p);
  expectGenerator(op, generator);
  let scores = mul(matmul(q, k, { transposeB: true }), scale);
  const mask = given.mask === undefined ? null : asTensor(op, 'mask', given.mask, q.dtype);
  if (mask !== null) expectMask(op, mask, scores);
  if (mask !== null && mask.dtype !== 'bool') scores = add(scores, mask);
  const allowed = booleanMask(mask, isCausal, [L, S]);
  if (allowed !== null) scores = where(allowed, scores, Number.NEGATIVE_INFINITY);
  const isMasked = (mask !== null || allowed !== null) && S > 0;
  const weights = isMasked ? maskedSoftmax(scores) : softmax(scores);
  return matmul(dropout(weights, { p, generator }), v);
}
