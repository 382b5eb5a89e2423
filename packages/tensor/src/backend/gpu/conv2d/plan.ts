import { BackendError } from '../../../core/errors.ts';
import { formatShape, type Shape } from '../../../core/shape.ts';
import type { Conv2dBranch } from '../../contract.ts';
import type { Device } from '../device/device.ts';
import type { ImageRange } from '../device/pass.ts';
import {
  type ChannelLayout,
  channelLayout,
  groupedLayout,
  quadCount,
  quadsFor,
} from '../layout/channel-layout.ts';
import type { Shape4 } from '../layout/form.ts';
import type { Geometry } from '../programs/geometry.ts';

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

/** @throws BackendError if it does not fit onto the device */
export function planConv2d(device: Device, shape: Shape, branches: readonly Conv2dBranch[]): Plan {
  const inShape = shape as Shape4; // The op has checked the rank.
  const [images, channels] = inShape;
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
  const layouts = { inShape, outShape, outLayout, branches: planned };
  return { ...layouts, imagesAtOnce: imagesThatFit(device, layouts) };
}

/** @throws BackendError if the weights or even a single image do not fit */
function imagesThatFit(
  device: Device,
  { inShape, outShape, outLayout, branches }: Omit<Plan, 'imagesAtOnce'>,
): number {
  for (const { weightShape, quads } of branches) {
    const [, inChannels, kernelHeight, kernelWidth] = weightShape;
    const texels = quads * 4 * quadsFor(inChannels) * kernelHeight * kernelWidth;
    if (texels > device.maxTexels) throw tooLarge(device, 'the weights', weightShape, texels);
  }
  const inQuads = branches.reduce((most, { inLayout }) => Math.max(most, quadCount(inLayout)), 0);
  const arrays = [
    { what: 'one image of the input', shape: inShape, planes: inQuads },
    { what: 'one image of the output', shape: outShape, planes: quadCount(outLayout) },
  ];
  const fitting = arrays.map(({ what, shape, planes }) => {
    const texels = planes * shape[2] * shape[3];
    if (texels > device.maxTexels) throw tooLarge(device, what, shape, texels);
    if (planes > device.maxPlanes) {
      throw new BackendError(
        `gpu: conv2d: ${what} of shape ${formatShape(shape)} has ${planes} planes of four ` +
          `channels, this device computes ${device.maxPlanes} at once; use fewer channels, or ` +
          "setBackend('wasm')",
      );
    }
    return Math.floor(Math.min(device.maxTexels / texels, device.maxPlanes / planes));
  });
  return fitting.reduce((least, images) => Math.min(least, images));
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
