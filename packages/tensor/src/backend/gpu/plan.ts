import { BackendError } from '../../core/errors.ts';
import { formatShape, type Shape } from '../../core/shape.ts';
import type { Conv2dBranch } from '../kernels.ts';
import {
  type ChannelLayout,
  channelLayout,
  groupedLayout,
  quadCount,
  quadsFor,
} from './channel-layout.ts';
import type { Device } from './device.ts';
import type { Shape4 } from './form.ts';
import type { ImageRange } from './pass.ts';
import type { Geometry } from './programs/geometry.ts';

/** One of the convolutions that share an input, with its place in their common output. */
export interface PlannedBranch {
  readonly branch: Conv2dBranch;
  readonly weightShape: Shape4;
  readonly outChannels: number;
  readonly inLayout: ChannelLayout;
  readonly outLayout: ChannelLayout;
  readonly firstQuad: number;
  readonly quads: number;
}

/** How the arrays of a convolution lie on the device. */
export interface Plan {
  readonly inShape: Shape4;
  readonly outShape: Shape4;
  readonly outLayout: ChannelLayout;
  readonly branches: readonly PlannedBranch[];
  /** Images whose arrays fit onto the device together. */
  readonly imagesAtOnce: number;
}

export function planConv2d(device: Device, shape: Shape, branches: readonly Conv2dBranch[]): Plan {
  const inShape = shape as Shape4; // The op has checked the rank.
  const [images, channels, height, width] = inShape;
  const { outHeight, outWidth } = branches[0].window;
  let allChannels = 0;
  let outQuads = 0;
  const planned = branches.map((branch): PlannedBranch => {
    const weightShape = branch.weight.shape as Shape4; // The op has checked the rank.
    const [outChannels] = weightShape;
    const { groups } = branch.window;
    const outLayout = groupedLayout(outChannels, groups);
    const quads = quadCount(outLayout);
    const firstQuad = outQuads;
    allChannels += outChannels;
    outQuads += quads;
    const inLayout = groupedLayout(channels, groups);
    return { branch, weightShape, outChannels, inLayout, outLayout, firstQuad, quads };
  });
  const outLayout = channelLayout(
    planned.map(({ branch, outChannels }) => ({
      count: branch.window.groups,
      channels: outChannels / branch.window.groups,
    })),
  );
  const outShape = [images, allChannels, outHeight, outWidth] as const;
  for (const { weightShape, quads } of planned) {
    const [, inChannels, kernelHeight, kernelWidth] = weightShape;
    const texels = quads * 4 * quadsFor(inChannels) * kernelHeight * kernelWidth;
    if (texels > device.maxTexels) throw tooLarge(device, 'the weights', weightShape, texels);
  }
  const inQuads = Math.max(...planned.map(({ inLayout }) => quadCount(inLayout)));
  const inTexels = inQuads * height * width;
  const outTexels = outQuads * outHeight * outWidth;
  const [texels, largest, what] =
    inTexels >= outTexels
      ? [inTexels, inShape, 'one image of the input']
      : [outTexels, outShape, 'one image of the output'];
  if (texels > device.maxTexels) throw tooLarge(device, what, largest, texels);
  const planes = Math.max(inQuads, outQuads);
  if (planes > device.maxPlanes) {
    throw new BackendError(
      `gpu: conv2d: one image of ${formatShape(outQuads > inQuads ? outShape : inShape)} has ` +
        `${planes} planes of four channels, this device computes ${device.maxPlanes} at once; ` +
        "use fewer channels, or setBackend('wasm')",
    );
  }
  const imagesAtOnce = Math.floor(Math.min(device.maxTexels / texels, device.maxPlanes / planes));
  return { inShape, outShape, outLayout, branches: planned, imagesAtOnce };
}

function tooLarge(
  { maxTexels, limit }: Device,
  what: string,
  shape: Shape,
  texels: number,
): BackendError {
  return new BackendError(
    `gpu: conv2d: ${what} of shape ${formatShape(shape)} takes ${texels} texels of four numbers, ` +
      `this device holds ${maxTexels} in one array (${limit}); ` +
      "use smaller images or fewer channels, or setBackend('wasm')",
  );
}

/** The sizes that programs of a branch are made for, over so many images. */
export function geometryOf(
  { inShape: [, , height, width], branches }: Plan,
  { branch: { window }, weightShape, firstQuad, quads }: PlannedBranch,
  images: number,
): Geometry {
  return {
    images,
    height,
    width,
    inChannels: weightShape[1],
    inQuads: quadsFor(weightShape[1]),
    outChannels: weightShape[0] / window.groups,
    outQuads: quads / window.groups,
    window,
    gradQuads: branches.reduce((sum, branch) => sum + branch.quads, 0),
    firstGradQuad: firstQuad,
  };
}

/** Ranges of at most `most` images that cover all of them. */
export function imageRanges(images: number, most: number): ImageRange[] {
  const count = Math.ceil(images / most);
  return Array.from({ length: count }, (_, i) => ({
    start: i * most,
    end: Math.min(images, (i + 1) * most),
  }));
}
