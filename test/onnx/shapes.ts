import * as f from '@firelight/tensor';
import { type Mapping, not, type OnnxCall } from './call.ts';

const REDUCTIONS = { none: 'none', add: 'add', mul: 'multiply', max: 'max', min: 'min' } as const;

function reductionOf(c: OnnxCall): f.ScatterReduction {
  return REDUCTIONS[c.text('reduction', 'none') as keyof typeof REDUCTIONS];
}

const scatter: Mapping = (c) =>
  f.scatter(c.x(0), c.x(1), c.x(2), c.a('axis', 0), { reduction: reductionOf(c) });

/** Operators on shapes and places. */
export const SHAPES: Readonly<Record<string, Mapping>> = {
  CenterCropPad: (c) => {
    const x = c.x();
    const axes = c.numbers('axes') ?? x.shape.map((_, i) => i);
    const lengths = c.list(1);
    const margins = x.shape.map((length, i): readonly [number, number] => {
      const at = axes.findIndex((axis) => axis === i || axis + x.rank === i);
      const missing = at === -1 ? 0 : lengths[at] - length;
      const before = Math.trunc(missing / 2);
      return [before, missing - before];
    });
    return f.pad(x, margins);
  },
  Compress: (c) => f.compress(c.x(0), c.x(1), c.hasAttribute('axis') ? c.a('axis', 0) : undefined),
  Concat: (c) => f.concat(c.all(), c.a('axis', 0)),
  ConstantOfShape: (c) => {
    const value = c.tensor('value') ?? f.zeros([]);
    return f.full(c.list(0), value.item(), { dtype: value.dtype });
  },
  DepthToSpace: (c) =>
    f.depthToSpace(c.x(), c.a('blocksize', 1), { mode: c.text('mode', 'DCR') as 'DCR' | 'CRD' }),
  Flatten: (c) => {
    const axis = c.a('axis', 1);
    const { shape } = c.x();
    const outer = shape.slice(0, axis < 0 ? axis + shape.length : axis);
    return f.reshape(c.x(), [outer.reduce((product, length) => product * length, 1), -1]);
  },
  Gather: (c) => f.gather(c.x(0), c.x(1), c.a('axis', 0)),
  GatherElements: (c) => f.takeAlongAxis(c.x(0), c.x(1), c.a('axis', 0)),
  GatherND: (c) => f.gatherNd(c.x(0), c.x(1), { batchAxes: c.a('batch_dims', 0) }),
  NonZero: (c) => f.transpose(f.nonZero(c.x())),
  OneHot: (c) => {
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
  },
  Pad: (c) => {
    const x = c.x();
    const pads = c.list(1);
    const axes = c.list(
      3,
      x.shape.map((_, i) => i),
    );
    const margins = x.shape.map((_, i): readonly [number, number] => {
      const at = axes.findIndex((axis) => axis === i || axis + x.rank === i);
      return at === -1 ? [0, 0] : [pads[at], pads[at + axes.length]];
    });
    const mode = c.text('mode', 'constant') as f.PadMode;
    return f.pad(x, margins, mode === 'constant' ? { value: c.number(2) } : { mode });
  },
  Range: (c) => f.arange(c.number(0), c.number(1), c.number(2), { dtype: c.x().dtype }),
  Reshape: (c) => {
    const { shape } = c.x();
    const keepsZeros = c.a('allowzero', 0) === 1;
    return f.reshape(
      c.x(),
      c.list(1).map((length, i) => (length === 0 && !keepsZeros ? shape[i] : length)),
    );
  },
  Scatter: scatter,
  ScatterElements: scatter,
  ScatterND: (c) => f.scatterNd(c.x(0), c.x(1), c.x(2), { reduction: reductionOf(c) }),
  Shape: (c) => {
    const end = c.hasAttribute('end') ? c.a('end', 0) : null;
    return f.slice(f.tensor(c.x().shape, { dtype: 'int32' }), [[c.a('start', 0), end]]);
  },
  Slice: (c) => {
    const { rank } = c.x();
    const [starts, ends] = [c.list(1), c.list(2)];
    const axes = c.list(
      3,
      starts.map((_, i) => i),
    );
    const steps = c.list(
      4,
      starts.map(() => 1),
    );
    const ranges = Array.from({ length: rank }, (_, i): f.AxisRange => {
      const at = axes.findIndex((axis) => axis === i || axis + rank === i);
      return at === -1 ? null : [starts[at], ends[at], steps[at]];
    });
    return f.slice(c.x(), ranges);
  },
  SpaceToDepth: (c) => f.spaceToDepth(c.x(), c.a('blocksize', 1), { mode: 'DCR' }),
  Split: (c) => {
    const axis = c.a('axis', 0);
    const sizes = c.numbers('split', 1);
    if (sizes !== undefined) return f.split(c.x(), sizes, axis);
    return f.chunk(c.x(), c.a('num_outputs', c.outputs), axis);
  },
  Squeeze: (c) => f.squeeze(c.x(), c.numbers('axes', 1)),
  Tile: (c) => f.tile(c.x(), c.list(1)),
  Transpose: (c) => {
    const { shape } = c.x();
    return f.permute(c.x(), c.numbers('perm') ?? shape.map((_, i) => shape.length - 1 - i));
  },
  Trilu: (c) => (c.a('upper', 1) === 1 ? f.triu : f.tril)(c.x(), c.number(1)),
  Unsqueeze: (c) => f.unsqueeze(c.x(), c.numbers('axes', 1) ?? []),
};
