import * as f from '@firelight/tensor';
import { broadcastShapes } from '@firelight/tensor/extend';
import { type NodeCall, not, type Operator, type OperatorResult } from '../node-call.ts';

const REDUCTIONS = { none: 'none', add: 'add', mul: 'multiply', max: 'max', min: 'min' } as const;
const REDUCTION_NAMES = ['none', 'add', 'mul', 'max', 'min'] as const;

const scatterOf =
  (run: (c: NodeCall, reduction: f.ScatterReduction) => f.Tensor): Operator =>
  (c) => {
    const reduction = c.choice('reduction', REDUCTION_NAMES, 'none');
    return reduction === null ? not('another reduction') : run(c, REDUCTIONS[reduction]);
  };

const scatter = scatterOf((c, reduction) =>
  f.scatter(c.x(0), c.x(1), c.x(2), c.a('axis', 0), { reduction }),
);

/** Where an axis stands in a list of axes that may count from the end, or −1. */
const placeOf = (axes: readonly number[], axis: number, rank: number): number =>
  axes.findIndex((each) => each === axis || each + rank === axis);

const allAxes = (x: f.Tensor): number[] => x.shape.map((_, axis) => axis);

function flattened(c: NodeCall): OperatorResult {
  const axis = c.a('axis', 1);
  const { shape } = c.x();
  const outer = shape.slice(0, axis < 0 ? axis + shape.length : axis);
  const product = (lengths: readonly number[]): number =>
    lengths.reduce((all, length) => all * length, 1);
  return f.reshape(c.x(), [product(outer), product(shape.slice(outer.length))]);
}

function padded(c: NodeCall): OperatorResult {
  const x = c.x();
  const mode = c.choice('mode', ['constant', 'edge', 'reflect', 'wrap'], 'constant');
  if (mode === null) return not('another mode');
  // Attributes before opset 11, inputs since.
  const pads = c.numbers('pads', 1) ?? [];
  const value = c.hasAttribute('value') ? c.a('value', 0) : c.number(2);
  const axes = c.list(3, allAxes(x));
  const margins = x.shape.map((_, i): readonly [number, number] => {
    const at = placeOf(axes, i, x.rank);
    return at === -1 ? [0, 0] : [pads[at], pads[at + axes.length]];
  });
  if (margins.flat().some((margin) => margin < 0)) return cut(x, margins, mode, value);
  return f.pad(x, margins, mode === 'constant' ? { value } : { mode });
}

/** Padding that takes elements away where it is below 0. */
function cut(
  x: f.Tensor,
  margins: readonly (readonly [number, number])[],
  mode: f.PadMode,
  value: number,
): OperatorResult {
  if (mode !== 'constant') return not('padding below 0 that repeats elements');
  const part = f.slice(
    x,
    margins.map(([before, after], i) => [Math.max(0, -before), x.shape[i] - Math.max(0, -after)]),
  );
  const rest = margins.map(([before, after]): readonly [number, number] => [
    Math.max(0, before),
    Math.max(0, after),
  ]);
  return f.pad(part, rest, { value });
}

function reshaped(c: NodeCall): OperatorResult {
  const { shape } = c.x();
  const keepsZeros = c.a('allowzero', 0) === 1;
  const target = c.numbers('shape', 1) ?? [];
  c.ignore('consumed_inputs');
  return f.reshape(
    c.x(),
    target.map((length, i) => (length === 0 && !keepsZeros ? (shape[i] ?? 0) : length)),
  );
}

function sliced(c: NodeCall): OperatorResult {
  const { rank } = c.x();
  // Attributes before opset 10, inputs since.
  const [starts, ends] = [c.numbers('starts', 1) ?? [], c.numbers('ends', 2) ?? []];
  const axes = c.numbers('axes', 3) ?? starts.map((_, i) => i);
  const steps = c.list(
    4,
    starts.map(() => 1),
  );
  const ranges = Array.from({ length: rank }, (_, i): f.AxisRange => {
    const at = placeOf(axes, i, rank);
    return at === -1 ? null : [starts[at], ends[at], steps[at]];
  });
  return f.slice(c.x(), ranges);
}

function split(c: NodeCall): OperatorResult {
  const axis = c.a('axis', 0);
  const sizes = c.numbers('split', 1);
  if (sizes !== undefined) return f.split(c.x(), sizes, axis);
  return f.chunk(c.x(), c.a('num_outputs', c.outputs), axis);
}

function expanded(c: NodeCall): OperatorResult {
  const target = c.list(1);
  const shape = broadcastShapes(c.x().shape, target);
  return shape === null
    ? not(`a shape [${target}] that does not fit`)
    : f.broadcastTo(c.x(), shape);
}

function oneHot(c: NodeCall): OperatorResult {
  const numClasses = c.number(1);
  const [offValue, onValue] = c.list(2);
  if (c.list(0).some((label) => label < -numClasses || label >= numClasses)) {
    return not('labels of no class');
  }
  const { dtype } = c.x(2);
  return f.oneHot(c.x(0), numClasses, {
    dtype,
    axis: c.a('axis', -1),
    fromEnd: true,
    offValue,
    onValue,
  });
}

function centred(c: NodeCall): OperatorResult {
  const x = c.x();
  const axes = c.numbers('axes') ?? allAxes(x);
  const lengths = c.list(1);
  const margins = x.shape.map((length, i): readonly [number, number] => {
    const at = placeOf(axes, i, x.rank);
    const missing = at === -1 ? 0 : lengths[at] - length;
    const before = Math.trunc(missing / 2);
    return [before, missing - before];
  });
  return f.pad(x, margins);
}

/** Operators on shapes and places. */
export const SHAPES: Readonly<Record<string, Operator>> = {
  CenterCropPad: centred,
  Compress: (c) => f.compress(c.x(0), c.x(1), c.hasAttribute('axis') ? c.a('axis', 0) : undefined),
  Concat: (c) => f.concat(c.all(), c.a('axis', 1)), // It may be left out before opset 4 alone.
  ConstantOfShape: (c) => {
    const value = c.tensor('value') ?? f.zeros([]);
    return f.full(c.list(0), value.item(), { dtype: value.dtype });
  },
  DepthToSpace: (c) => {
    const mode = c.choice('mode', ['DCR', 'CRD'], 'DCR');
    return mode === null
      ? not('another mode')
      : f.depthToSpace(c.x(), c.a('blocksize', 1), { mode });
  },
  Expand: expanded,
  Flatten: flattened,
  Gather: (c) => f.gather(c.x(0), c.x(1), c.a('axis', 0)),
  GatherElements: (c) => f.takeAlongAxis(c.x(0), c.x(1), c.a('axis', 0)),
  GatherND: (c) => f.gatherNd(c.x(0), c.x(1), { batchAxes: c.a('batch_dims', 0) }),
  NonZero: (c) => f.transpose(f.nonZero(c.x())),
  OneHot: oneHot,
  Pad: padded,
  Range: (c) => f.arange(c.number(0), c.number(1), c.number(2), { dtype: c.x().dtype }),
  Reshape: reshaped,
  Scatter: scatter,
  ScatterElements: scatter,
  ScatterND: scatterOf((c, reduction) => f.scatterNd(c.x(0), c.x(1), c.x(2), { reduction })),
  Shape: (c) => {
    const end = c.hasAttribute('end') ? c.a('end', 0) : null;
    return f.slice(f.tensor(c.x().shape, { dtype: 'int32' }), [[c.a('start', 0), end]]);
  },
  Size: (c) => f.full([], c.x().size, { dtype: 'int32' }),
  Slice: sliced,
  SpaceToDepth: (c) => f.spaceToDepth(c.x(), c.a('blocksize', 1), { mode: 'DCR' }),
  Split: split,
  Squeeze: (c) => f.squeeze(c.x(), c.numbers('axes', 1)),
  Tile: (c) => f.tile(c.x(), c.list(1)),
  Transpose: (c) => f.permute(c.x(), c.numbers('perm') ?? allAxes(c.x()).reverse()),
  Trilu: (c) => (c.a('upper', 1) === 1 ? f.triu : f.tril)(c.x(), c.number(1)),
  Unsqueeze: (c) => f.unsqueeze(c.x(), c.numbers('axes', 1) ?? []),
};
