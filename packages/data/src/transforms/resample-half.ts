import type { PixelData } from '../core/image.ts';
import type { Resampler, Size } from './resample.ts';
import { linearResampler } from './resample-linear.ts';

/**
 * Whether OpenCV's linear resampling is the mean of 2 × 2 pixels, with a rounding of its own: both
 * sides are halved, and the number of channels is none of 1, 3 and 4.
 *
 * @see OpenCV, `resize.cpp`, where `INTER_LINEAR` becomes `INTER_AREA`
 */
export function isMeanOfFour(input: Size, output: Size): boolean {
  const { height, width, channels } = input;
  return (
    height === 2 * output.height && width === 2 * output.width && (channels === 2 || channels > 4)
  );
}

/** Halves both sides: bytes are means of four, halves rounded to the even byte. */
export function halfResampler(input: Size, output: Size): Resampler {
  const linear = linearResampler(input, output);
  const { channels } = input;
  const inputRow = input.width * channels;
  const outputRow = output.width * channels;

  const resample = (source: PixelData): PixelData => {
    if (!(source instanceof Uint8Array)) return linear.resample(source);
    const result = new Uint8Array(output.height * outputRow);
    for (let y = 0, at = 0; y < output.height; y++) {
      for (let x = 0; x < output.width; x++) {
        const from = 2 * (y * inputRow + x * channels);
        for (let above = from; above < from + channels; above++, at++) {
          const below = above + inputRow;
          const sum =
            source[above] + source[above + channels] + source[below] + source[below + channels];
          result[at] = (sum + 1 + ((sum >> 2) & 1)) >> 2;
        }
      }
    }
    return result;
  };
  return { resample };
}
