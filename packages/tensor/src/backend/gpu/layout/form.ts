import { type ChannelLayout, layoutKey, quadsFor, unpackQuads } from './channel-layout.ts';

/** Shape of four axes; the op has checked it. */
export type Shape4 = readonly [number, number, number, number];

/** How the elements of an array lie on a device. */
export interface Form {
  /** Tells forms apart. */
  readonly key: string;
  /** The elements in row-major order. */
  unpack(texels: Float32Array): Float32Array;
}

// A form outlives the call that made it, with all that its function can see: so each is made apart
// from the arrays of the call.

/** Images [N, C, H, W] as texels [N, quads, H, W]. */
export function imageForm(shape: Shape4, layout: ChannelLayout): Form {
  return {
    key: `images ${shape.join('x')} ${layoutKey(layout)}`,
    unpack: (texels) => unpackImages(texels, shape, layout),
  };
}

/** Weights [O, I, kH, kW] as texels [output quads, I rounded up to quads, kH · kW]. */
export function weightForm(shape: Shape4, layout: ChannelLayout): Form {
  return {
    key: `weights ${shape.join('x')} ${layoutKey(layout)}`,
    unpack: (texels) => unpackWeights(texels, shape, layout),
  };
}

function unpackImages(
  texels: Float32Array,
  [images, channels, height, width]: Shape4,
  layout: ChannelLayout,
): Float32Array {
  const elements = new Float32Array(images * channels * height * width);
  unpackQuads(texels, layout, { items: images, planeSize: height * width }, elements);
  return elements;
}

function unpackWeights(
  texels: Float32Array,
  [outChannels, inChannels, kernelHeight, kernelWidth]: Shape4,
  layout: ChannelLayout,
): Float32Array {
  const taps = kernelHeight * kernelWidth;
  const paddedRow = 4 * quadsFor(inChannels) * taps;
  const padded = new Float32Array(outChannels * paddedRow);
  unpackQuads(texels, layout, { items: 1, planeSize: paddedRow }, padded);
  const row = inChannels * taps;
  if (row === paddedRow) return padded;
  const weights = new Float32Array(outChannels * row);
  for (let o = 0; o < outChannels; o++) {
    weights.set(padded.subarray(o * paddedRow, o * paddedRow + row), o * row);
  }
  return weights;
}
