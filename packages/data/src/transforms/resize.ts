import { ValueError } from '@firelight/tensor';
import { expectOptions } from '../core/check.ts';
import { checkInterleaved, type Image } from '../core/image.ts';
import { checkInterpolation, type Interpolation } from './interpolation.ts';
import { describeNumbers } from './interval.ts';
import type { Resampler, Size } from './resample.ts';
import { halfResampler, isMeanOfFour } from './resample-half.ts';
import { linearResampler } from './resample-linear.ts';
import { nearestResampler } from './resample-nearest.ts';
import { defineTransform } from './transform.ts';

/** Beyond this side float32 cannot hold pixel positions; MindSpore has the same bound. */
const MAX_SIDE = 2 ** 24;

/** `[height, width]`, or one number for the shorter side. */
export type ResizeSize = number | readonly [height: number, width: number];

/** How `Resize` computes pixels. */
export interface ResizeOptions {
  /** Default `'linear'`. */
  readonly interpolation?: Interpolation;
}

/**
 * Resizes an `[H, W, C]` image as OpenCV does, without antialiasing.
 *
 * `'linear'` takes the half-pixel centres `src = (dst + 0.5) · in / out − 0.5`; bytes come out equal
 * to `cv::resize(INTER_LINEAR)` bit for bit, floats to float32 rounding. `'nearest'` takes
 * `src = ⌊dst · in / out⌋`, as `INTER_NEAREST`.
 *
 * @param size `[height, width]`, or one number for the shorter side; the longer one then keeps the
 *   ratio, computed in float32 and rounded half up as MindSpore does
 * @throws ValueError if a side is not an integer from 1 to 2^24, or the interpolation is unknown
 * @see MindSpore, `mindspore.dataset.vision.Resize`
 */
export const Resize = defineTransform('Resize', (size: ResizeSize, options: ResizeOptions = {}) => {
  const { interpolation = 'linear' } = expectOptions('Resize', options);
  const isSide = (side: unknown): boolean =>
    Number.isInteger(side) && (side as number) >= 1 && (side as number) <= MAX_SIDE;
  if (!(Array.isArray(size) ? size.length === 2 && size.every(isSide) : isSide(size))) {
    throw new ValueError(
      `Resize: size must be one integer for the shorter side or [height, width], ` +
        `each from 1 to ${MAX_SIDE}, got ${describeNumbers(size)}`,
    );
  }
  checkInterpolation('Resize', interpolation);
  /** Tables depend on the size alone; a data set usually has one, so the last ones are kept. */
  let last: Prepared | null = null;
  const prepare = ({ height, width, channels }: Image): Prepared => {
    const isLast =
      last?.input.height === height &&
      last.input.width === width &&
      last.input.channels === channels;
    if (last !== null && isLast) return last;
    const input = { height, width, channels };
    const output = { ...outputSides(size, height, width), channels };
    last = { input, output, resampler: createResampler(interpolation, input, output) };
    return last;
  };
  return {
    size,
    interpolation,
    /** @throws ShapeError if the image is not `[H, W, C]` */
    apply(image: Image): Image {
      checkInterleaved('Resize', image);
      const { output, resampler } = prepare(image);
      return { data: resampler.resample(image.data), ...output, layout: 'HWC' };
    },
    /** See `Transform`; null if this interpolation cannot. */
    lookUpInPlanes(
      image: Image,
      tables: readonly Float32Array[],
      target: Float32Array | undefined,
    ): Image | null {
      checkInterleaved('Resize', image);
      const { output, resampler } = prepare(image);
      if (resampler.lookUpInPlanes === undefined) return null;
      const length = output.height * output.width * output.channels;
      const data = target?.length === length ? target : new Float32Array(length);
      resampler.lookUpInPlanes(image.data as Uint8Array, tables, data);
      return { data, ...output, layout: 'CHW' };
    },
  };
});
export type Resize = InstanceType<typeof Resize>;

/** What is computed once for images of one size. */
interface Prepared {
  readonly input: Size;
  readonly output: Size;
  readonly resampler: Resampler;
}

function createResampler(interpolation: Interpolation, input: Size, output: Size): Resampler {
  if (interpolation === 'nearest') return nearestResampler(input, output);
  return isMeanOfFour(input, output)
    ? halfResampler(input, output)
    : linearResampler(input, output);
}

/** Sides after resizing; the longer one is rounded as C's `lround` of a float. */
function outputSides(
  size: ResizeSize,
  height: number,
  width: number,
): { height: number; width: number } {
  if (typeof size !== 'number') return { height: size[0], width: size[1] };
  const longer = (longSide: number, shortSide: number): number =>
    Math.round(Math.fround(Math.fround(longSide / shortSide) * size));
  return height < width
    ? { height: size, width: longer(width, height) }
    : { height: longer(height, width), width: size };
}
