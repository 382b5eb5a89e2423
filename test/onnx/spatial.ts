import * as f from '@firelight/tensor';
import { type Mapped, type Mapping, not, type OnnxCall } from './call.ts';

type Pair = readonly [number, number];

const pair = (values: readonly number[] | undefined, otherwise: number): Pair =>
  values === undefined ? [otherwise, otherwise] : [values[0], values[1]];

/** Padding as an option. */
function paddingOf(c: OnnxCall): f.PaddingOption {
  switch (c.text('auto_pad', 'NOTSET')) {
    case 'VALID':
      return 'valid';
    case 'SAME_UPPER':
      return 'same';
    case 'SAME_LOWER':
      return 'same-lower';
    default: {
      const [top, left, bottom, right] = c.numbers('pads') ?? [0, 0, 0, 0];
      return [top, bottom, left, right];
    }
  }
}

function pooled(
  c: OnnxCall,
  run: (x: f.Tensor, options: f.Pool2dOptions) => Mapped,
  runOnSequences: (x: f.Tensor, options: f.Pool1dOptions) => Mapped,
): Mapped {
  if (!c.has(0)) return not('images given by the model');
  if (c.x().rank === 3) {
    const [before = 0, after = 0] = c.numbers('pads') ?? [];
    return runOnSequences(c.x(), {
      kernelSize: c.numbers('kernel_shape')?.[0] ?? 1,
      stride: c.numbers('strides')?.[0] ?? 1,
      padding: [before, after],
    });
  }
  if (c.x().rank !== 4) return not(`windows over ${c.x().rank - 2} axes`);
  return run(c.x(), {
    kernelSize: pair(c.numbers('kernel_shape'), 1),
    stride: pair(c.numbers('strides'), 1),
    dilation: pair(c.numbers('dilations'), 1),
    ceilMode: c.a('ceil_mode', 0) === 1,
    padding: paddingOf(c),
  });
}

/** Max-pooling with positions among all elements, as ONNX counts them. */
function maxPool2dWithPositions(x: f.Tensor, options: f.Pool2dOptions): Mapped {
  const [N, C, H, W] = x.shape;
  const { values, indices } = f.maxPool2dWithIndices(x, options);
  const planes = f.reshape(f.arange(N * C), [N, C, 1, 1]);
  return [values, f.add(indices, f.mul(planes, H * W))];
}

/** Operators on images. */
export const SPATIAL: Readonly<Record<string, Mapping>> = {
  AveragePool: (c) =>
    pooled(
      c,
      (x, options) =>
        f.avgPool2d(x, { ...options, countIncludePad: c.a('count_include_pad', 0) === 1 }),
      (x, options) =>
        f.avgPool1d(x, { ...options, countIncludePad: c.a('count_include_pad', 0) === 1 }),
    ),
  LpPool: (c) =>
    pooled(
      c,
      (x, options) => f.lpPool2d(x, { ...options, ord: c.a('p', 2) }),
      () => not('lengths of windows over sequences'),
    ),
  BatchNormalization: (c) => {
    if (c.a('training_mode', 0) === 1) return not('a running variance of n, not of n − 1');
    const running = { runningMean: c.x(3), runningVariance: c.x(4) };
    const options = { ...running, epsilon: c.a('epsilon', 1e-5), training: false };
    return f.batchNorm2d(c.x(0), c.x(1), c.x(2), options);
  },
  Conv: (c) => {
    if (c.x().rank !== 4) return not(`windows over ${c.x().rank - 2} axes`);
    c.ignore('kernel_shape'); // The weight has it.
    return f.conv2d(c.x(0), c.x(1), c.has(2) ? c.x(2) : null, {
      stride: pair(c.numbers('strides'), 1),
      dilation: pair(c.numbers('dilations'), 1),
      groups: c.a('group', 1),
      padding: paddingOf(c),
    });
  },
  ConvTranspose: (c) => {
    c.ignore('kernel_shape'); // The weight has it.
    const [top = 0, left = 0, bottom = 0, right = 0] = c.numbers('pads') ?? [];
    if (top !== bottom || left !== right) return not('padding that differs from side to side');
    const bias = c.has(2) ? c.x(2) : null;
    const options = {
      stride: pair(c.numbers('strides'), 1),
      dilation: pair(c.numbers('dilations'), 1),
      groups: c.a('group', 1),
      padding: [top, left] as const,
    };
    const size = c.numbers('output_shape');
    const outputPadding = pair(c.numbers('output_padding'), 0);
    if (size === undefined) {
      return f.convTranspose2d(c.x(0), c.x(1), bias, { ...options, outputPadding });
    }
    // What an output without more padding lacks of that size.
    const lacking = size.map((length, i) => {
      const span = (c.x(1).shape[2 + i] - 1) * options.dilation[i] + 1;
      const natural = (c.x().shape[2 + i] - 1) * options.stride[i] + span;
      return length - natural + 2 * options.padding[i];
    });
    return f.convTranspose2d(c.x(0), c.x(1), bias, { ...options, outputPadding: pair(lacking, 0) });
  },
  GlobalAveragePool: (c) => f.unsqueeze(f.globalAvgPool2d(c.x()), [2, 3]),
  GlobalMaxPool: (c) => f.unsqueeze(f.globalMaxPool2d(c.x()), [2, 3]),
  MaxPool: (c) => {
    const isByColumns = c.a('storage_order', 0) === 1;
    if (c.outputs === 1) return pooled(c, f.maxPool2d, f.maxPool1d);
    if (isByColumns) return not('positions counted column by column');
    return pooled(c, maxPool2dWithPositions, () => not('positions in sequences'));
  },
  MaxUnpool: (c) => {
    if (c.x().rank !== 4) return not(`windows over ${c.x().rank - 2} axes`);
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
  },
};
