import type { Generator } from '@firelight/tensor';
import {
  type BatchArrays,
  classesOf,
  defineBatchTransform,
  type MixOptions,
  mixWithPartners,
  readAlpha,
} from './batch-transform.ts';
import { drawBeta } from './beta.ts';

/**
 * Puts a rectangle of a random partner's image into each image of a batch. Its sides are √(1 − λ) of
 * the image's with λ of Beta(α, α), its centre is uniform, one for the batch; labels are mixed by the
 * areas that are left after cutting at the edges.
 *
 * @throws ValueError unless alpha is finite and above 0
 * @see Yun et al., "CutMix", arXiv:1905.04899; MindSpore, `mindspore.dataset.vision.CutMixBatch`
 */
export const CutMix = defineBatchTransform('CutMix', (options: MixOptions = {}) => {
  const alpha = readAlpha('CutMix', options);
  return {
    alpha,
    /** @throws ShapeError if labels are class numbers; put `OneHot` before it */
    apply(batch: BatchArrays, generator: Generator): BatchArrays {
      const classes = classesOf('CutMix', batch);
      const { pixels: source, imageShape, labels } = batch;
      const [count, channels, height, width] = imageShape;
      const side = Math.sqrt(1 - drawBeta(generator, alpha));
      const rows = spanAround(generator.integer(height), Math.floor(side * height), height);
      const columns = spanAround(generator.integer(width), Math.floor(side * width), width);
      const partners = generator.permutation(count);
      const pixels = source.slice();
      for (const [sample, partner] of partners.entries()) {
        for (let channel = 0; channel < channels; channel++) {
          for (let row = rows.start; row < rows.end; row++) {
            const line = (image: number) => ((image * channels + channel) * height + row) * width;
            const from = line(partner);
            const part = source.subarray(from + columns.start, from + columns.end);
            pixels.set(part, line(sample) + columns.start);
          }
        }
      }
      const cut = (rows.end - rows.start) * (columns.end - columns.start);
      const weight = 1 - cut / (height * width);
      return {
        ...batch,
        pixels,
        labels: mixWithPartners(labels as Float32Array, classes, partners, weight),
      };
    },
  };
});
export type CutMix = InstanceType<typeof CutMix>;

/** `length` positions around `centre`, cut to 0 … size. */
function spanAround(centre: number, length: number, size: number): { start: number; end: number } {
  const start = centre - (length >> 1);
  return { start: Math.max(start, 0), end: Math.min(start + length, size) };
}
