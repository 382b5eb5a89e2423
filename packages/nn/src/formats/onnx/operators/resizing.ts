import * as f from '@firelight/tensor';
import { type NodeCall, not, type Operator, type OperatorResult } from '../node-call.ts';

const COORDINATES: Readonly<Record<string, f.ResizeCoordinates>> = {
  half_pixel: 'half-pixel',
  half_pixel_symmetric: 'half-pixel-symmetric',
  pytorch_half_pixel: 'pytorch-half-pixel',
  align_corners: 'align-corners',
  asymmetric: 'asymmetric',
  tf_crop_and_resize: 'crop-and-resize',
};
const ROUNDINGS: Readonly<Record<string, f.NearestRounding>> = {
  round_prefer_floor: 'round-prefer-floor',
  round_prefer_ceil: 'round-prefer-ceil',
  floor: 'floor',
  ceil: 'ceil',
};
const MODES = ['nearest', 'linear', 'cubic'] as const;

/** New lengths of the axes, and scales unless they are the quotients of the lengths. */
interface Goal {
  readonly size: readonly number[];
  readonly scale?: readonly number[];
}

function goalOf(c: NodeCall, lengths: readonly number[]): Goal {
  const policy = c.text('keep_aspect_ratio_policy', 'stretch');
  const sizes = c.list(3);
  if (sizes.length === 0) return scaledBy(c.list(2), lengths);
  if (policy === 'stretch') return { size: sizes };
  const quotients = sizes.map((size, i) => size / lengths[i]);
  const choose = policy === 'not_larger' ? Math.min : Math.max;
  const scale = quotients.reduce((a, b) => choose(a, b));
  return {
    size: lengths.map((length) => Math.round(length * scale)),
    scale: lengths.map(() => scale),
  };
}

function scaledBy(scale: readonly number[], lengths: readonly number[]): Goal {
  return { scale, size: scale.map((by, i) => Math.floor(by * lengths[i])) };
}

const allAxes = (x: f.Tensor): number[] => x.shape.map((_, axis) => axis);

function resized(c: NodeCall): OperatorResult {
  const x = c.x();
  const axes = c.numbers('axes') ?? allAxes(x);
  const lengths = axes.map((axis) => x.shape.at(axis) ?? 0);
  const mode = c.choice('mode', MODES, 'nearest');
  if (mode === null) return not('another mode');
  // In opset 10 it takes scales where it takes a region now, and has positions as Upsample.
  if (c.opset < 11) return upsampled(x, c.list(1), mode);
  const goal = goalOf(c, lengths);
  const coordinates = COORDINATES[c.text('coordinate_transformation_mode', 'half_pixel')];
  const nearestRounding = ROUNDINGS[c.text('nearest_mode', 'round_prefer_floor')];
  if (coordinates === undefined || nearestRounding === undefined) {
    return not('other positions of pixels');
  }
  const options: f.InterpolateOptions = {
    ...goal,
    axes,
    coordinates,
    mode,
    nearestRounding,
    cubicCoefficient: c.a('cubic_coeff_a', -0.75),
    antialias: c.a('antialias', 0) === 1,
    excludeOutside: c.a('exclude_outside', 0) === 1,
    extrapolationValue: c.a('extrapolation_value', 0),
  };
  if (coordinates === 'crop-and-resize') {
    const roi = c.list(1);
    const region = axes.map((_, i) => [roi[i], roi[i + axes.length]] as const);
    return f.interpolate(x, { ...options, region });
  }
  const { scale } = goal;
  if (coordinates === 'align-corners' && scale !== undefined) {
    // ONNX's corner is that of the scaled length with its fraction.
    const steps = lengths.map((length, i) =>
      length > 1 ? (length * scale[i] - 1) / (length - 1) : 1,
    );
    return f.interpolate(x, { ...options, scale: steps, coordinates: 'asymmetric' });
  }
  return f.interpolate(x, options);
}

function upsampled(x: f.Tensor, scale: readonly number[], mode: f.ResizeMode): OperatorResult {
  return f.interpolate(x, {
    ...scaledBy(scale, x.shape),
    axes: allAxes(x),
    mode,
    coordinates: 'asymmetric',
  });
}

/** Operators that give images another size. */
export const RESIZING: Readonly<Record<string, Operator>> = {
  Resize: resized,
  Upsample: (c) => {
    const mode = c.choice('mode', MODES, 'nearest');
    // An attribute in opset 7 and 8, an input in opset 9.
    return mode === null
      ? not('another mode')
      : upsampled(c.x(), c.numbers('scales', 1) ?? [], mode);
  },
};
