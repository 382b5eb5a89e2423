import * as f from '@firelight/tensor';
import type { Mapping, OnnxCall } from './call.ts';

const COORDINATES: Readonly<Record<string, f.ResizeCoordinates>> = {
  half_pixel: 'half-pixel',
  half_pixel_symmetric: 'half-pixel-symmetric',
  pytorch_half_pixel: 'pytorch-half-pixel',
  align_corners: 'align-corners',
  asymmetric: 'asymmetric',
  tf_crop_and_resize: 'crop-and-resize',
};

/** New lengths of the axes, and scales unless they are the quotients of the lengths. */
function lengthsOf(
  c: OnnxCall,
  lengths: readonly number[],
): { readonly size: readonly number[]; readonly scale?: readonly number[] } {
  const policy = c.text('keep_aspect_ratio_policy', 'stretch');
  const sizes = c.list(3);
  if (sizes.length === 0) {
    const scale = c.list(2);
    return { scale, size: scale.map((by, i) => Math.floor(by * lengths[i])) };
  }
  if (policy === 'stretch') return { size: sizes };
  const quotients = sizes.map((size, i) => size / lengths[i]);
  const scale = policy === 'not_larger' ? Math.min(...quotients) : Math.max(...quotients);
  return {
    size: lengths.map((length) => Math.round(length * scale)),
    scale: lengths.map(() => scale),
  };
}

/** Operators that give images another size. */
export const RESIZING: Readonly<Record<string, Mapping>> = {
  Resize: (c) => {
    const x = c.x();
    const axes = c.numbers('axes') ?? x.shape.map((_, axis) => axis);
    const lengths = axes.map((axis) => x.shape.at(axis) ?? 0);
    const goal = lengthsOf(c, lengths);
    const coordinates = COORDINATES[c.text('coordinate_transformation_mode', 'half_pixel')];
    const options: f.InterpolateOptions = {
      ...goal,
      axes,
      coordinates,
      mode: c.text('mode', 'nearest') as 'nearest' | 'linear' | 'cubic',
      nearestRounding: c
        .text('nearest_mode', 'round_prefer_floor')
        .replaceAll('_', '-') as f.NearestRounding,
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
  },
  Upsample: (c) =>
    f.interpolate(c.x(), {
      axes: c.x().shape.map((_, axis) => axis),
      scale: c.list(1),
      mode: c.text('mode', 'nearest') as 'nearest' | 'linear',
      coordinates: 'asymmetric',
    }),
};
