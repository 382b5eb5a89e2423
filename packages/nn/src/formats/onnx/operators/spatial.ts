import * as f from '@firelight/tensor';
import { type NodeCall, not, type Operator, type OperatorResult } from '../node-call.ts';

type Pair = readonly [number, number];

const pair = (values: readonly number[] | undefined, otherwise: number): Pair =>
  values === undefined ? [otherwise, otherwise] : [values[0], values[1]];

const AUTO_PADS = ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'] as const;
const RULES = { VALID: 'valid', SAME_UPPER: 'same', SAME_LOWER: 'same-lower' } as const;

/** Padding by a rule, or null where the numbers are given. */
function ruleOf(c: NodeCall): 'valid' | 'same' | 'same-lower' | null {
  const rule = c.choice('auto_pad', AUTO_PADS, 'NOTSET') ?? 'NOTSET';
  return rule === 'NOTSET' ? null : RULES[rule];
}

/** Padding of images as an option; ONNX has both beginnings first. */
function paddingOf(c: NodeCall): f.PaddingOption {
  const rule = ruleOf(c);
  const [top, left, bottom, right] = c.numbers('pads') ?? [0, 0, 0, 0];
  return rule ?? [top, bottom, left, right];
}

function paddingOfSequences(c: NodeCall): f.Padding1d {
  const rule = ruleOf(c);
  const [before, after] = c.numbers('pads') ?? [0, 0];
  return rule ?? [before, after];
}

const windowsOver = (x: f.Tensor): OperatorResult =>
  not(`windows over ${x.rank - 2} axes; those over one or two are computed`);

function pooled(
  c: NodeCall,
  run: (x: f.Tensor, options: f.Pool2dOptions) => OperatorResult,
  runOnSequences: (x: f.Tensor, options: f.Pool1dOptions) => OperatorResult,
): OperatorResult {
  const x = c.x();
  const kernel = c.numbers('kernel_shape');
  const strides = c.numbers('strides');
  const dilations = c.numbers('dilations');
  const ceilMode = c.a('ceil_mode', 0) === 1;
  if (x.rank === 3) {
    return runOnSequences(x, {
      kernelSize: kernel?.[0] ?? 1,
      stride: strides?.[0] ?? 1,
      dilation: dilations?.[0] ?? 1,
      padding: paddingOfSequences(c),
      ceilMode,
    });
  }
  if (x.rank !== 4) return windowsOver(x);
  return run(x, {
    kernelSize: pair(kernel, 1),
    stride: pair(strides, 1),
    dilation: pair(dilations, 1),
    ceilMode,
    padding: paddingOf(c),
  });
}

/** Max-pooling with positions among all elements, as ONNX counts them. */
function maxPool2dWithPositions(x: f.Tensor, options: f.Pool2dOptions): OperatorResult {
  const [N, C, H, W] = x.shape;
  const { values, indices } = f.maxPool2dWithIndices(x, options);
  const planes = f.reshape(f.arange(N * C), [N, C, 1, 1]);
  return [values, f.add(indices, f.mul(planes, H * W))];
}

function maxPool(c: NodeCall): OperatorResult {
  const isByColumns = c.a('storage_order', 0) === 1;
  if (!c.hasOutput(1)) return pooled(c, f.maxPool2d, f.maxPool1d);
  if (isByColumns) return not('positions counted column by column');
  return pooled(c, maxPool2dWithPositions, () => not('positions in sequences'));
}

function avgPool(c: NodeCall): OperatorResult {
  const countIncludePad = c.a('count_include_pad', 0) === 1;
  return pooled(
    c,
    (x, options) => f.avgPool2d(x, { ...options, countIncludePad }),
    (x, options) => f.avgPool1d(x, { ...options, countIncludePad }),
  );
}

function convolved(c: NodeCall): OperatorResult {
  c.ignore('kernel_shape'); // The weight has it, and many files leave it out.
  const [x, weight, bias] = [c.x(0), c.x(1), c.optional(2)];
  const groups = c.a('group', 1);
  const [strides, dilations] = [c.numbers('strides'), c.numbers('dilations')];
  if (x.rank === 3) {
    const padding = paddingOfSequences(c);
    const [stride = 1, dilation = 1] = [strides?.[0], dilations?.[0]];
    return f.conv1d(x, weight, bias, { stride, dilation, groups, padding });
  }
  if (x.rank !== 4) return windowsOver(x);
  return f.conv2d(x, weight, bias, {
    stride: pair(strides, 1),
    dilation: pair(dilations, 1),
    groups,
    padding: paddingOf(c),
  });
}

/** Pads of a transposed convolution whose output has a size that is asked for: what is too much. */
function padsFor(size: readonly number[], natural: readonly number[], isUpper: boolean): number[] {
  const total = natural.map((length, i) => length - size[i]);
  const lesser = total.map((much) => Math.floor(much / 2));
  const greater = total.map((much, i) => much - lesser[i]);
  return isUpper ? [...lesser, ...greater] : [...greater, ...lesser];
}

function transposedConvolution(c: NodeCall): OperatorResult {
  c.ignore('kernel_shape');
  const [x, weight, bias] = [c.x(0), c.x(1), c.optional(2)];
  if (x.rank !== 4) return windowsOver(x);
  const rule = ruleOf(c);
  const given = c.numbers('pads');
  const stride = pair(c.numbers('strides'), 1);
  const dilation = pair(c.numbers('dilations'), 1);
  const groups = c.a('group', 1);
  const asked = c.numbers('output_shape')?.slice(-2);
  const extra = pair(c.numbers('output_padding'), 0);
  const natural = [0, 1].map(
    (i) =>
      (x.shape[2 + i] - 1) * stride[i] + (weight.shape[2 + i] - 1) * dilation[i] + 1 + extra[i],
  );
  const isSame = rule === 'same' || rule === 'same-lower';
  const size = asked ?? (isSame ? [0, 1].map((i) => x.shape[2 + i] * stride[i]) : undefined);
  const pads =
    size === undefined
      ? (given ?? [0, 0, 0, 0])
      : padsFor(size, natural, rule !== 'same-lower' && rule !== null);
  const [top, left, bottom, right] = pads;
  const options = { stride, dilation, groups };
  if (top === bottom && left === right && Math.min(top, left) >= 0) {
    const padding = [top, left] as const;
    return f.convTranspose2d(x, weight, bias, { ...options, padding, outputPadding: extra });
  }
  // The whole output, and then what of it lies between the pads, or zeros with the bias around it.
  const whole = f.convTranspose2d(x, weight, null, { ...options, outputPadding: extra });
  const [bottomExtra, rightExtra] = [Math.max(0, -bottom), Math.max(0, -right)];
  const around = [Math.max(0, -top), bottomExtra, Math.max(0, -left), rightExtra];
  const wide = f.pad(whole, [
    [0, 0],
    [0, 0],
    [around[0], around[1]],
    [around[2], around[3]],
  ]);
  const [, , H, W] = wide.shape;
  const part = f.slice(wide, [
    null,
    null,
    [Math.max(0, top), H - Math.max(0, bottom)],
    [Math.max(0, left), W - Math.max(0, right)],
  ]);
  return bias === null ? part : f.add(part, f.reshape(bias, [1, -1, 1, 1]));
}

function unpooled(c: NodeCall): OperatorResult {
  if (c.x().rank !== 4) return windowsOver(c.x());
  const options = {
    kernelSize: pair(c.numbers('kernel_shape'), 1),
    stride: pair(c.numbers('strides'), 1),
  };
  const [top, left, bottom, right] = c.numbers('pads') ?? [0, 0, 0, 0];
  if (top !== bottom || left !== right) return not('padding that differs from side to side');
  const padding = [top, left] as const;
  const [H, W] = c
    .x()
    .shape.slice(2)
    .map((n, i) => (n - 1) * options.stride[i] + options.kernelSize[i] - 2 * padding[i]);
  const [, , height, width] = c.list(2, [0, 0, H, W]);
  // Positions count over the whole output, as large as it is without a size that is asked for.
  const places = c.list(1).map((at) => {
    const inPlane = at % (H * W);
    return Math.floor(inPlane / W) * width + (inPlane % W);
  });
  const indices = f.tensor(places, { shape: c.x().shape, dtype: 'int32' });
  return f.maxUnpool2d(c.x(), indices, { ...options, padding, outputSize: [height, width] });
}

/** Over all axes behind the channels, which stay with length 1. */
const overPixels =
  (
    run: (x: f.Tensor) => f.Tensor,
    runOnOthers: (x: f.Tensor, axes: number[], options: { keepDims: true }) => f.Tensor,
  ): Operator =>
  (c) => {
    const x = c.x();
    if (x.rank === 4) return f.unsqueeze(run(x), [2, 3]);
    return runOnOthers(x, x.shape.map((_, axis) => axis).slice(2), { keepDims: true });
  };

/** Operators on images. */
export const SPATIAL: Readonly<Record<string, Operator>> = {
  AveragePool: avgPool,
  Conv: convolved,
  ConvTranspose: transposedConvolution,
  GlobalAveragePool: overPixels(f.globalAvgPool2d, f.mean),
  GlobalMaxPool: overPixels(f.globalMaxPool2d, f.max),
  LpPool: (c) => {
    const ord = c.a('p', 2);
    return pooled(
      c,
      (x, options) => f.lpPool2d(x, { ...options, ord }),
      () => not('lengths of windows over sequences'),
    );
  },
  MaxPool: maxPool,
  MaxUnpool: unpooled,
};
