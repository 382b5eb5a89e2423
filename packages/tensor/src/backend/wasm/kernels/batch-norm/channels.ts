import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local, LocalsOf } from '../../assembler/parameters.ts';
import { type F32, f32, type I32, loadF32 } from '../../assembler/scalars.ts';
import { type Floats, splat } from '../../assembler/vectors.ts';
import { PLANES } from '../loops/planes.ts';

/**
 * Batch normalization of [N, C, H, W]. A part is one plane [H, W]; sums over a channel are sums of
 * those of its planes, in the order of the images.
 */

/** Planes of `area` elements, those of `channels` channels in each image. */
export const CHANNEL_PLANES = { planes: PLANES, channels: 'i32', area: 'i32' } as const;

/** What a channel is normalized with: arrays [channels], and what is added to the variance. */
export const NORM = {
  mean: 'address',
  variance: 'address',
  weight: 'address',
  bias: 'address',
  epsilon: 'f32',
} as const;

/** Bytes from the first channel to that of a plane. */
export const channelOf = (plane: I32, channels: I32): I32 => plane.modulo(channels).times(4);

/** What stands for a plane's channel in formulas: scale = weight / √(variance + ε). */
export type ChannelValues = Readonly<Record<'mean' | 'scale' | 'inverse', Local<F32>>>;

/** Reads the mean of a channel, its scale, and 1 / √(variance + ε). */
export function channelValues(
  f: FunctionBuilder,
  norm: LocalsOf<typeof NORM>,
  channel: I32,
): ChannelValues {
  const variance = loadF32(norm.variance.plus(channel));
  const inverse = f.f32(variance.plus(norm.epsilon).sqrt());
  const scale = f.f32(loadF32(norm.weight.plus(channel)).dividedBy(inverse));
  inverse.set(f32(1).dividedBy(inverse));
  return { scale, mean: f.f32(loadF32(norm.mean.plus(channel))), inverse };
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
