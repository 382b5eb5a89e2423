import { checkImage, type Image } from '../core/image.ts';
import { HWC2CHW } from './hwc-to-chw.ts';
import type { Transform, TransformFunction } from './transform.ts';

const BYTES = 256;

/** A transform after which look-ups can be done in one go, such as `Resize`. */
export type BeforeTable = Transform & Required<Pick<Transform, 'lookUpInPlanes'>>;

/** What stands around the pointwise steps. */
interface Neighbours {
  /** The step before them, if it is one. */
  readonly before: BeforeTable | null;
  /** Whether `HWC2CHW` comes after them. */
  readonly thenPlanes: boolean;
}

/**
 * Pointwise steps, together with a `Resize` before and an `HWC2CHW` after them if there is one, as
 * one step that looks the result up where the image is of bytes.
 *
 * A byte has 256 values, so for each channel the steps can be run on all of them once; every image
 * then costs one pass instead of one for each step. The results are those of the steps to the bit.
 */
export function withByteTable(
  pointwise: readonly TransformFunction[],
  { before, thenPlanes }: Neighbours,
): TransformFunction {
  const toPlanes = new HWC2CHW();
  /** By the number of channels, one table for each; null where the steps give no floats. */
  const tables = new Map<number, readonly Float32Array[] | null>();

  const run: TransformFunction = (image, generator) =>
    pointwise.reduce((current, step) => step(current, generator), image);
  const inSteps: TransformFunction = (image, generator) => {
    const result = run(before === null ? image : before.apply(image, generator), generator);
    return thenPlanes ? toPlanes.apply(result) : result;
  };

  return (image, generator, target) => {
    const { channels, layout } = image;
    const table = tables.get(channels);
    const isForTable = image.data instanceof Uint8Array && !(thenPlanes && layout === 'CHW');
    if (!isForTable || table === null) return inSteps(image, generator);
    if (table === undefined) {
      // The first image takes the steps themselves, so that an error of theirs names it.
      const result = inSteps(image, generator);
      const values = run(everyByte(channels), generator).data;
      tables.set(channels, values instanceof Float32Array ? splitTable(values, channels) : null);
      return result;
    }
    checkImage('Compose', image);
    if (before !== null && thenPlanes) {
      const done = before.lookUpInPlanes(image, table, target);
      if (done !== null) return done;
    }
    return lookUpImage(
      before === null ? image : before.apply(image, generator),
      table,
      thenPlanes,
      target,
    );
  };
}

/** An image `[channels, 1, 256]` with byte `v` at place `v` of every channel. */
function everyByte(channels: number): Image {
  const data = Uint8Array.from({ length: BYTES * channels }, (_, at) => at % BYTES);
  return { data, height: 1, width: BYTES, channels, layout: 'CHW' };
}

function splitTable(values: Float32Array, channels: number): Float32Array[] {
  return Array.from({ length: channels }, (_, channel) =>
    values.slice(channel * BYTES, (channel + 1) * BYTES),
  );
}

/** All of an image at once. */
function lookUpImage(
  image: Image,
  table: readonly Float32Array[],
  thenPlanes: boolean,
  target: Float32Array | undefined,
): Image {
  const { channels, layout } = image;
  const data = image.data as Uint8Array;
  const values = target?.length === data.length ? target : new Float32Array(data.length);
  const count = data.length / channels;
  const isInterleaved = layout === 'HWC';
  for (let channel = 0; channel < channels; channel++) {
    const from = isInterleaved ? channel : channel * count;
    const step = isInterleaved ? channels : 1;
    if (isInterleaved && !thenPlanes) {
      lookUp(table[channel], data, from, step, values, from, step, count);
    } else {
      lookUp(table[channel], data, from, step, values, channel * count, 1, count);
    }
  }
  return { ...image, data: values, layout: thenPlanes ? 'CHW' : layout };
}

/** `values[to + i · toStep] = table[bytes[from + i · fromStep]]` for all `i < count`. */
function lookUp(
  table: Float32Array,
  bytes: Uint8Array,
  from: number,
  fromStep: number,
  values: Float32Array,
  to: number,
  toStep: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    values[to] = table[bytes[from]];
    from += fromStep;
    to += toStep;
  }
}
