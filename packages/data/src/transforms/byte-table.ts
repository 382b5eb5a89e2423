import { checkImage, type Image, type ImageLayout } from '../image.ts';
import { HWC2CHW } from './hwc-to-chw.ts';
import type { TransformFunction } from './transform.ts';

const BYTES = 256;

/**
 * Pointwise steps, and `HWC2CHW` after them if wanted, as one step that looks the result up where
 * the image is of bytes.
 *
 * A byte has 256 values, so for each channel the steps can be run on all of them once; every image
 * then costs one pass instead of one for each step. The results are those of the steps to the bit.
 */
export function withByteTable(
  pointwise: readonly TransformFunction[],
  { thenPlanes }: { readonly thenPlanes: boolean },
): TransformFunction {
  const toPlanes = new HWC2CHW();
  /** By the number of channels; null where the steps give bytes. */
  const tables = new Map<number, Float32Array | null>();

  const run: TransformFunction = (image, generator) =>
    pointwise.reduce((current, step) => step(current, generator), image);
  const inSteps: TransformFunction = (image, generator) => {
    const result = run(image, generator);
    return thenPlanes ? toPlanes.apply(result) : result;
  };

  return (image, generator, target) => {
    const { data, channels, layout } = image;
    const table = tables.get(channels);
    if (!(data instanceof Uint8Array) || (thenPlanes && layout === 'CHW') || table === null) {
      return inSteps(image, generator);
    }
    if (table === undefined) {
      // The first image takes the steps themselves, so that an error of theirs names it.
      const result = inSteps(image, generator);
      const values = run(everyByte(channels), generator).data;
      tables.set(channels, values instanceof Float32Array ? values : null);
      return result;
    }
    checkImage('Compose', image);
    const resultLayout = thenPlanes ? 'CHW' : layout;
    const values = target?.length === data.length ? target : new Float32Array(data.length);
    const count = data.length / channels;
    for (let channel = 0; channel < channels; channel++) {
      lookUp(table, positions('HWC', channel, channels, BYTES), {
        count,
        bytes: data,
        from: positions(layout, channel, channels, count),
        values,
        to: positions(resultLayout, channel, channels, count),
      });
    }
    return { ...image, data: values, layout: resultLayout };
  };
}

/** An image `[1, 256, channels]` with byte `v` in every channel of pixel `v`. */
function everyByte(channels: number): Image {
  const data = Uint8Array.from({ length: BYTES * channels }, (_, at) => Math.floor(at / channels));
  return { data, height: 1, width: BYTES, channels, layout: 'HWC' };
}

/** Where the values of one channel are: at `start + i · step`. */
interface Positions {
  readonly start: number;
  readonly step: number;
}

function positions(
  layout: ImageLayout,
  channel: number,
  channels: number,
  planeSize: number,
): Positions {
  return layout === 'HWC'
    ? { start: channel, step: channels }
    : { start: channel * planeSize, step: 1 };
}

/** `values[to(i)] = table[entries(bytes[from(i)])]` for all `i < count`. */
function lookUp(
  table: Float32Array,
  entries: Positions,
  {
    count,
    bytes,
    from,
    values,
    to,
  }: {
    count: number;
    bytes: Uint8Array;
    from: Positions;
    values: Float32Array;
    to: Positions;
  },
): void {
  const { start: entry, step: entryStep } = entries;
  const { start: source, step: sourceStep } = from;
  const { start: target, step: targetStep } = to;
  for (let i = 0; i < count; i++) {
    const byte = bytes[source + i * sourceStep];
    values[target + i * targetStep] = table[entry + byte * entryStep];
  }
}
