import type { Generator } from '@firelight/tensor';
import { checkImage, type Image } from '../image.ts';
import type { TransformFunction } from './transform.ts';

const BYTES = 256;

/**
 * Pointwise steps as one step that looks their result up where the image is of bytes.
 *
 * A byte has 256 values, so for each channel the steps can be run on all of them once; every image
 * then costs one pass instead of one for each step. The results are those of the steps to the bit.
 */
export function withByteTable(step: TransformFunction): TransformFunction {
  const tables = new Map<number, Float32Array>();

  return (image: Image, generator: Generator): Image => {
    const { data, channels, layout } = image;
    if (!(data instanceof Uint8Array)) return step(image, generator);
    const table = tables.get(channels);
    if (table === undefined) {
      // The first image takes the steps themselves, so that an error of theirs names it.
      const result = step(image, generator);
      const values = step(everyByte(channels), generator).data;
      if (values instanceof Float32Array) tables.set(channels, values);
      return result;
    }
    checkImage('Compose', image);
    return {
      ...image,
      data:
        layout === 'HWC'
          ? lookUpPixels(data, table, channels)
          : lookUpPlanes(data, table, channels),
    };
  };
}

/** An image `[1, 256, channels]` with byte `v` in every channel of pixel `v`. */
function everyByte(channels: number): Image {
  const data = Uint8Array.from({ length: BYTES * channels }, (_, at) => Math.floor(at / channels));
  return { data, height: 1, width: BYTES, channels, layout: 'HWC' };
}

function lookUpPixels(bytes: Uint8Array, table: Float32Array, channels: number): Float32Array {
  const values = new Float32Array(bytes.length);
  for (let pixel = 0; pixel < bytes.length; pixel += channels) {
    for (let channel = 0; channel < channels; channel++) {
      values[pixel + channel] = table[bytes[pixel + channel] * channels + channel];
    }
  }
  return values;
}

function lookUpPlanes(bytes: Uint8Array, table: Float32Array, channels: number): Float32Array {
  const values = new Float32Array(bytes.length);
  const plane = bytes.length / channels;
  for (let channel = 0, at = 0; channel < channels; channel++) {
    for (const end = at + plane; at < end; at++) values[at] = table[bytes[at] * channels + channel];
  }
  return values;
}
