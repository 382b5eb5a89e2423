import * as f from '@firelight/tensor';
import { type NodeCall, not, type Operator } from '../node-call.ts';

type Reduce = (x: f.Tensor, axis: number[] | undefined, options: { keepDims: boolean }) => f.Tensor;

const reduction =
  (reduce: Reduce): Operator =>
  (c) => {
    const axes = c.numbers('axes', 1);
    const isNothing = axes === undefined || axes.length === 0;
    const keepsAll = c.a('noop_with_empty_axes', 0) === 1 && isNothing;
    const keepDims = c.a('keepdims', 1) === 1;
    return reduce(c.x(), keepsAll ? [] : isNothing ? undefined : axes, { keepDims });
  };

/** The largest of nothing has no value here. */
const extremum =
  (reduce: Reduce): Operator =>
  (c) =>
    c.x().size === 0 ? not('an extremum of nothing') : reduction(reduce)(c);

const position =
  (find: typeof f.argmax): Operator =>
  (c) =>
    find(c.x(), c.a('axis', 0), {
      keepDims: c.a('keepdims', 1) === 1,
      selectLast: c.a('select_last_index', 0) === 1,
    });

const scan =
  (run: typeof f.cumsum): Operator =>
  (c) =>
    run(c.x(), c.number(1), {
      exclusive: c.a('exclusive', 0) === 1,
      reverse: c.a('reverse', 0) === 1,
    });

/** Softmax along an axis; before opset 13 along all axes from one on, as if they were one. */
const softmaxLike =
  (run: (x: f.Tensor, axis: number) => f.Tensor): Operator =>
  (c) => {
    const x = c.x();
    if (c.opset >= 13) return run(x, c.a('axis', -1));
    const given = c.a('axis', 1);
    const outer = x.shape.slice(0, given < 0 ? given + x.rank : given);
    const inner = x.shape.slice(outer.length);
    const rows = f.reshape(x, [product(outer), product(inner)]);
    return f.reshape(run(rows, 1), x.shape);
  };

function product(lengths: readonly number[]): number {
  return lengths.reduce((all, length) => all * length, 1);
}

function gemm(c: NodeCall): f.Tensor {
  c.ignore('broadcast'); // Before opset 7, where c may be spread at all; it is if it must.
  const transposed = {
    transposeA: c.a('transA', 0) === 1,
    transposeB: c.a('transB', 0) === 1,
  };
  const scales = { alpha: c.a('alpha', 1), beta: c.a('beta', 1) };
  if (!c.has(2) && scales.alpha === 1) return f.matmul(c.x(0), c.x(1), transposed);
  return f.addmm(c.optional(2) ?? 0, c.x(0), c.x(1), { ...transposed, ...scales });
}

/** Operators that reduce, scan and sort, and products of matrices. */
export const REDUCTIONS: Readonly<Record<string, Operator>> = {
  ArgMax: position(f.argmax),
  ArgMin: position(f.argmin),
  CumProd: scan(f.cumprod),
  CumSum: scan(f.cumsum),
  Einsum: (c) => f.einsum(c.text('equation', ''), ...c.all()),
  Gemm: gemm,
  LogSoftmax: softmaxLike(f.logSoftmax),
  MatMul: (c) => f.matmul(c.x(0), c.x(1)),
  ReduceL1: reduction((x, axis, options) => f.norm(x, { ord: 1, axis, ...options })),
  ReduceL2: reduction((x, axis, options) => f.norm(x, { ord: 2, axis, ...options })),
  ReduceLogSum: reduction((x, axis, options) => f.log(f.sum(x, axis, options))),
  ReduceLogSumExp: reduction(f.logSumExp),
  ReduceMax: extremum((x, axis, options) => f.max(x, axis, options)),
  ReduceMean: reduction(f.mean),
  ReduceMin: extremum((x, axis, options) => f.min(x, axis, options)),
  ReduceProd: reduction(f.prod),
  ReduceSum: reduction(f.sum),
  ReduceSumSquare: reduction((x, axis, options) => f.sum(f.square(x), axis, options)),
  Softmax: softmaxLike(f.softmax),
  TopK: (c) => {
    c.ignore('sorted'); // They always are.
    const k = c.hasAttribute('k') ? c.a('k', 1) : c.number(1);
    const { values, indices } = f.topK(c.x(), k, {
      axis: c.a('axis', -1),
      largest: c.a('largest', 1) === 1,
    });
    return [values, indices];
  },
};
