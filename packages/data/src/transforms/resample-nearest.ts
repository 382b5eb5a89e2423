import type { PixelData } from '../core/image.ts';
import type { Resampler, Size } from './resample.ts';

/** Input index of each output index: `min(⌊output · in / out⌋, in − 1)`, as OpenCV's INTER_NEAREST. */
function nearestTable(inputSize: number, outputSize: number): Int32Array {
  // OpenCV divides twice; in / out can differ from this in the last bit.
  const scale = 1 / (outputSize / inputSize);
  return Int32Array.from({ length: outputSize }, (_, output) =>
    Math.min(Math.floor(output * scale), inputSize - 1),
  );
}

/** Nearest-neighbour resampling of images of one size. */
export function nearestResampler(input: Size, output: Size): Resampler {
  const { channels } = input;
  const rows = nearestTable(input.height, output.height);
  const columns = nearestTable(input.width, output.width);

  const resample = (source: PixelData): PixelData => {
    const length = output.height * output.width * channels;
    const result = source instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
    let at = 0;
    for (const row of rows) {
      const rowStart = row * input.width;
      for (const column of columns) {
        const from = (rowStart + column) * channels;
        for (let channel = 0; channel < channels; channel++) result[at++] = source[from + channel];
      }
    }
    return result;
  };
  return { resample };
}
