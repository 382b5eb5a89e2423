import { ValueError } from '@firelight/tensor';
import { type Dim, sameDim } from '../dims.ts';
import type { ExportCall, Exporter } from '../export-call.ts';
import { fixed } from '../graph-builder.ts';

/** Before the first element of any axis, for a slice that goes backwards to it. */
const NO_END = -(2 ** 31);

/** The shape that `Reshape` takes: 0 keeps a length of the input, −1 is what is left. */
function reshapeTarget(from: readonly Dim[], to: readonly Dim[]): number[] | null {
  let isFree = true;
  const target: number[] = [];
  for (const [i, dim] of to.entries()) {
    if (typeof dim === 'number' && dim !== 0) target.push(dim);
    else if (i < from.length && sameDim(dim, from[i])) target.push(0);
    else if (typeof dim !== 'number' && isFree) {
      target.push(-1);
      isFree = false;
    } else return null;
  }
  return target;
}

/** Gives a tensor another shape. */
export function reshaped(
  c: ExportCall,
  operand: { readonly name: string; readonly dims: readonly Dim[] },
  dims: readonly Dim[],
): string {
  const target = reshapeTarget(operand.dims, dims);
  const shape = target === null ? c.graph.shape(dims) : c.graph.integers(target);
  return c.node('Reshape', [operand.name, shape], { dims });
}

const pad: Exporter = (c) => {
  const { before, value } = c.attributes<{
    readonly before: readonly number[];
    readonly value: number;
  }>();
  const { dims: from, name } = c.operand();
  const after = c.dims.map((dim, i) =>
    before[i] === 0 && sameDim(dim, from[i])
      ? 0
      : fixed('pad', dim) - fixed('pad', from[i]) - before[i],
  );
  const pads = c.graph.integers([...before, ...after]);
  return c.node('Pad', [name, pads, c.number(value)], { attributes: { mode: 'constant' } });
};

const slice: Exporter = (c) => {
  const { range } = c.attributes<{
    readonly range: { readonly starts: readonly number[]; readonly steps: readonly number[] };
  }>();
  const { dims: from, name } = c.operand();
  const axes = c.dims.flatMap((dim, axis) => {
    const isWhole = range.starts[axis] === 0 && range.steps[axis] === 1 && sameDim(dim, from[axis]);
    return isWhole ? [] : [axis];
  });
  if (axes.length === 0) return c.node('Identity', [name]);
  const starts = axes.map((axis) => range.starts[axis]);
  const steps = axes.map((axis) => range.steps[axis]);
  const ends = axes.map((axis, i) => {
    const end = starts[i] + steps[i] * fixed('slice', c.dims[axis]);
    return end < 0 ? NO_END : end;
  });
  const lists = [starts, ends, axes, steps].map((list) => c.graph.integers(list));
  return c.node('Slice', [name, ...lists]);
};

const position =
  (operator: string): Exporter =>
  (c) => {
    const { axis } = c.attributes<{ readonly axis: number }>();
    const attributes = { axis, keepdims: c.dims.length === c.operand().dims.length ? 1 : 0 };
    const found = c.node(operator, [c.x()], { attributes, dtype: 'int64' });
    return c.node('Cast', [found], { attributes: { to: 6 } });
  };

const concat: Exporter = (c) => {
  const { axis } = c.attributes<{ readonly axis: number }>();
  return c.node('Concat', c.all(), { attributes: { axis } });
};

const gather: Exporter = (c) => {
  const { axis } = c.attributes<{ readonly axis: number }>();
  const indices = c.operand(1);
  if (indices.dtype !== 'int32' && indices.dtype !== 'int64') {
    throw new ValueError(
      `exportOnnx: gather with positions of ${indices.dtype} cannot be written; cast them to int32`,
    );
  }
  return c.node('Gather', [c.x(0), indices.name], { attributes: { axis } });
};

/** Operations on shapes and places. */
export const SHAPES: Readonly<Record<string, Exporter>> = {
  argmax: position('ArgMax'),
  argmin: position('ArgMin'),
  broadcastTo: (c) => c.node('Expand', [c.x(), c.graph.shape(c.dims)]),
  concat,
  gather,
  pad,
  permute: (c) => {
    const { axes } = c.attributes<{ readonly axes: readonly number[] }>();
    return c.node('Transpose', [c.x()], { attributes: { perm: axes } });
  },
  reshape: (c) => reshaped(c, c.operand(), c.dims),
  slice,
};
