import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local } from '../../assembler/parameters.ts';
import { type F32, f32, type I32, loadF32 } from '../../assembler/scalars.ts';
import { type Floats, splat } from '../../assembler/vectors.ts';
import { PLANE_FIELDS } from '../loops/planes.ts';

/**
 * Batch normalization of [N, C, H, W]. A part is one plane [H, W]; sums over a channel are sums of
 * those of its planes, in the order of the images.
 */

export const CHANNEL_FIELDS = {
  ...PLANE_FIELDS,
  x: 'i32',
  y: 'i32',
  gradOut: 'i32',
  gradX: 'i32',
  channels: 'i32',
  area: 'i32',
  mean: 'i32',
  variance: 'i32',
  weight: 'i32',
  bias: 'i32',
  sums: 'i32',
  dots: 'i32',
  epsilon: 'f32',
  /** 1 / (N · H · W), or 0 where the statistics do not depend on x. */
  share: 'f32',
} as const;

/** Bytes from the first channel to that of a plane. */
export const channelOf = (plane: I32, channels: I32): I32 => plane.modulo(channels).times(4);

/** Values of the fields that a task does not read. */
export const UNUSED = {
  y: 0,
  gradOut: 0,
  gradX: 0,
  mean: 0,
  variance: 0,
  weight: 0,
  bias: 0,
  sums: 0,
  dots: 0,
  epsilon: 0,
  share: 0,
};

/** What stands for a plane's channel in formulas: scale = weight / √(variance + ε). */
export type ChannelValues = Readonly<Record<'mean' | 'scale' | 'inverse', Local<F32>>>;

/** Reads the mean of a channel, its scale, and 1 / √(variance + ε). */
export function channelValues(
  f: FunctionBuilder,
  p: { mean: I32; variance: I32; weight: I32; epsilon: F32 },
  channel: I32,
): ChannelValues {
  const variance = loadF32(p.variance.plus(channel));
  const inverse = f.f32(variance.plus(p.epsilon).sqrt());
  const scale = f.f32(loadF32(p.weight.plus(channel)).dividedBy(inverse));
  inverse.set(f32(1).dividedBy(inverse));
  return { scale, mean: f.f32(loadF32(p.mean.plus(channel))), inverse };
}

/** The normalized values of a plane, before the activation. */
export interface Normalization {
  vector(centred: Floats): Floats;
  single(centred: F32): F32;
}

/** (x − mean) · scale + bias, the same bits in the gradient as in the forward pass. */
export function normalizationOf(
  f: FunctionBuilder,
  { scale }: ChannelValues,
  bias: F32,
): Normalization {
  const shift = f.f32(bias);
  const [scales, shifts] = [f.f32x4(splat(scale)), f.f32x4(splat(shift))];
  return {
    vector: (centred) => f.multiplyAdd(centred, scales, shifts),
    single: (centred) => centred.times(scale).plus(shift),
  };
}
