import * as f from '@firelight/tensor';
import { type Mapped, type Mapping, not, type OnnxCall } from './call.ts';

type Reduce = (x: f.Tensor, axis: number[] | undefined, options: { keepDims: boolean }) => f.Tensor;

const reduction =
  (reduce: Reduce): Mapping =>
  (c) => {
    const axes = c.numbers('axes', 1);
    const isNothing = axes === undefined || axes.length === 0;
    const keepsAll = isNothing && c.a('noop_with_empty_axes', 0) === 1;
    const keepDims = c.a('keepdims', 1) === 1;
    return reduce(c.x(), keepsAll ? [] : isNothing ? undefined : axes, { keepDims });
  };

/** The largest of nothing has no value here. */
const extremum =
  (reduce: Reduce): Mapping =>
  (c) =>
    c.x().size === 0 ? not('an extremum of nothing') : reduction(reduce)(c);

const position =
  (find: typeof f.argmax): Mapping =>
  (c) =>
    find(c.x(), c.a('axis', 0), {
      keepDims: c.a('keepdims', 1) === 1,
      selectLast: c.a('select_last_index', 0) === 1,
    });

const scan =
  (run: typeof f.cumsum): Mapping =>
  (c) =>
    run(c.x(), c.number(1), {
      exclusive: c.a('exclusive', 0) === 1,
      reverse: c.a('reverse', 0) === 1,
    });

/** The axis along which softmax runs; before opset 13 it ran over all axes from one on. */
function softmaxLike(c: OnnxCall, run: (x: f.Tensor, axis: number) => f.Tensor): Mapped {
  return c.opset < 13 ? not('several axes as one') : run(c.x(), c.a('axis', -1));
}

/** Operators that reduce, scan and sort, and products of matrices. */
export const REDUCTIONS: Readonly<Record<string, Mapping>> = {
  ArgMax: position(f.argmax),
  ArgMin: position(f.argmin),
  CumProd: scan(f.cumprod),
  CumSum: scan(f.cumsum),
  Einsum: (c) => f.einsum(c.text('equation', ''), ...c.all()),
  Gemm: (c) => {
    const transposed = {
      transposeA: c.a('transA', 0) === 1,
      transposeB: c.a('transB', 0) === 1,
    };
    if (!c.has(2) && c.a('alpha', 1) === 1) return f.matmul(c.x(0), c.x(1), transposed);
    const scales = { alpha: c.a('alpha', 1), beta: c.a('beta', 1) };
    return f.addmm(c.has(2) ? c.x(2) : 0, c.x(0), c.x(1), { ...transposed, ...scales });
  },
  LogSoftmax: (c) => softmaxLike(c, f.logSoftmax),
  MatMul: (c) => f.matmul(c.x(0), c.x(1)),
  ReduceL1: reduction((x, axis, options) => f.norm(x, { ord: 1, axis, ...options })),
  ReduceL2: reduction((x, axis, options) => f.norm(x, { ord: 2, axis, ...options })),
  ReduceLogSumExp: reduction(f.logSumExp),
  ReduceMax: extremum((x, axis, options) => f.max(x, axis, options)),
  ReduceMean: reduction(f.mean),
  ReduceMin: extremum((x, axis, options) => f.min(x, axis, options)),
  ReduceProd: reduction(f.prod),
  ReduceSum: reduction(f.sum),
  Softmax: (c) => softmaxLike(c, f.softmax),
  TopK: (c) => {
    c.ignore('sorted'); // They always are.
    const k = c.number(1);
    const { values, indices } = f.topK(c.x(), k, {
      axis: c.a('axis', -1),
      largest: c.a('largest', 1) === 1,
    });
    return [values, indices];
  },
};
