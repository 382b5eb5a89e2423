import type { Shape, Tensor } from '@firelight/tensor';
import { Flatten } from '../../layers/flatten.ts';
import type { Module } from '../../module/module.ts';
import { type Config, Unsupported } from './config.ts';
import { type ImageShape, ToChannelsLast } from './reshape.ts';

/**
 * What goes from layer to layer: images `[C, H, W]`, or features; `image` is what these were flattened from
 * here, where their order is not that of Keras.
 */
export type Flow =
  | { readonly kind: 'images'; readonly shape: ImageShape }
  | { readonly kind: 'features'; readonly count: number; readonly image: ImageShape | null };

/** A layer's module and where its output goes on. */
interface Built {
  readonly modules: readonly Module[];
  readonly flow: Flow;
}

/** Gives a weight of a layer, which must have a shape. */
type TakeWeight = (part: string, shape: Shape) => Tensor;

/** Makes the modules of a layer, with its weights. */
export type Builder = (config: Config, flow: Flow, take: TakeWeight) => Built;

/** The images that a layer needs. */
export function imagesIn(config: Config, flow: Flow): ImageShape {
  if (flow.kind === 'images') return flow.shape;
  throw new Unsupported(`${config.layer.className} behind features`);
}

export function expectChannelsLast(config: Config): void {
  config.expect('data_format', 'channels_last');
}

/** Features of images of one pixel or one channel have the same order here and there. */
const orderOf = (image: ImageShape): ImageShape | null =>
  image[0] === 1 || image[1] * image[2] === 1 ? null : image;

/** Modules that bring features into the order of Keras. */
export function inKerasOrder(flow: Flow): readonly Module[] {
  if (flow.kind === 'images') return [new Flatten(), ...inKerasOrder(flattened(flow.shape))];
  return flow.image === null ? [] : [new ToChannelsLast(flow.image)];
}

/** The features of flattened images. */
export const flattened = (image: ImageShape): Flow => ({
  kind: 'features',
  count: image[0] * image[1] * image[2],
  image: orderOf(image),
});

/** The images or features that a model takes, by the shape of its first layer's batch; null for others. */
export function inputFlow(batchShape: unknown): Flow | null {
  if (!Array.isArray(batchShape)) return null;
  const sizes: unknown[] = batchShape.slice(1);
  const areKnown = sizes.every((length) => Number.isSafeInteger(length) && (length as number) >= 1);
  if (!areKnown) return null;
  const lengths = sizes as number[];
  if (lengths.length === 1) return { kind: 'features', count: lengths[0], image: null };
  if (lengths.length !== 3) return null;
  const [H, W, C] = lengths;
  return { kind: 'images', shape: [C, H, W] };
}
