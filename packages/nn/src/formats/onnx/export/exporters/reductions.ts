import type { Dim } from '../dims.ts';
import type { ExportCall, Exporter, Operand } from '../export-call.ts';
import { reshaped } from './shapes.ts';

interface Axes {
  readonly axes: readonly number[];
}

const keepdims = (c: ExportCall): number => (c.dims.length === c.operand().dims.length ? 1 : 0);

const reduction =
  (operator: string): Exporter =>
  (c) => {
    const { axes } = c.attributes<Axes>();
    return c.node(operator, [c.x()], { attributes: { axes, keepdims: keepdims(c) } });
  };

/** The last two axes the other way round, if they are to be. */
function turned(c: ExportCall, { name, dims, dtype }: Operand, isTurned: boolean): string {
  if (!isTurned) return name;
  const last = dims.length - 1;
  const perm = dims.map((_, i) => (i === last ? last - 1 : i === last - 1 ? last : i));
  const attributes = { perm };
  return c.node('Transpose', [name], { attributes, dims: perm.map((axis) => dims[axis]), dtype });
}

const matmul: Exporter = (c) => {
  const transposed = c.attributes<{ readonly a: boolean; readonly b: boolean }>();
  const [a, b] = [c.operand(0), c.operand(1)];
  if (a.dims.length === 2 && b.dims.length === 2) {
    const attributes = { transA: Number(transposed.a), transB: Number(transposed.b) };
    return c.node('Gemm', [a.name, b.name], { attributes });
  }
  return c.node('MatMul', [turned(c, a, transposed.a), turned(c, b, transposed.b)]);
};

/** Where an operation's rows are the last axes from one on, that one. */
function firstAxisOf(dims: readonly Dim[], length: number): number | null {
  let product = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const dim = dims[axis];
    if (typeof dim !== 'number') return null;
    product *= dim;
    if (product === length) return axis;
  }
  return null;
}

interface RowNorm {
  readonly length: number;
  readonly epsilon: number;
  readonly isCentred: boolean;
}

const normalizeRows: Exporter = (c) => {
  const { length, epsilon, isCentred } = c.attributes<RowNorm>();
  const [x, weight, bias] = [c.operand(0), c.optional(1), c.optional(2)];
  const axis = firstAxisOf(x.dims, length);
  if (isCentred && weight !== null && axis !== null) {
    const attributes = { axis, epsilon: { float: epsilon } };
    const inputs = [x.name, weight.name, ...(bias === null ? [] : [bias.name])];
    return c.node('LayerNormalization', inputs, { attributes });
  }
  // Rows that are no last axes, as those of groups of channels.
  const count: Dim = rowCount(x.dims, length);
  const dims = [count, length];
  const means = { attributes: { axes: [1], keepdims: 1 }, dims: [count, 1] };
  const given = reshaped(c, x, dims);
  const centred = isCentred
    ? c.node('Sub', [given, c.node('ReduceMean', [given], means)], { dims })
    : given;
  const square = c.node('Mul', [centred, centred], { dims });
  const variance = c.node('ReduceMean', [square], means);
  const sum = c.node('Add', [variance, c.number(epsilon)], { dims: [count, 1] });
  const deviation = c.node('Sqrt', [sum], { dims: [count, 1] });
  const rows = c.node('Div', [centred, deviation], { dims });
  let y = reshaped(c, { name: rows, dims }, c.dims);
  if (weight !== null) y = c.node('Mul', [y, weight.name]);
  if (bias !== null) y = c.node('Add', [y, bias.name]);
  return y;
};

function rowCount(dims: readonly Dim[], length: number): Dim {
  let [product, batches] = [1, 0];
  for (const dim of dims) {
    if (typeof dim === 'number') product *= dim;
    else {
      product *= dim.batches;
      batches++;
    }
  }
  const count = product / length;
  return batches === 0 ? count : { batches: count };
}

const axisOf = (c: ExportCall): { readonly axis: number } => {
  const { axis } = c.attributes<{ readonly axis: number }>();
  return { axis };
};

/** Operations that reduce, normalize, and products of matrices. */
export const REDUCTIONS: Readonly<Record<string, Exporter>> = {
  logSoftmax: (c) => c.node('LogSoftmax', [c.x()], { attributes: axisOf(c) }),
  matmul,
  max: reduction('ReduceMax'),
  mean: reduction('ReduceMean'),
  min: reduction('ReduceMin'),
  normalizeRows,
  softmax: (c) => c.node('Softmax', [c.x()], { attributes: axisOf(c) }),
  sum: (c) => {
    // The only one of them whose axes are an operand in opset 17.
    const axes = c.graph.integers(c.attributes<Axes>().axes);
    return c.node('ReduceSum', [c.x(), axes], { attributes: { keepdims: keepdims(c) } });
  },
};
