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
 * Mixes each sample with a random partner of its batch, images and labels alike:
 * λ · x[i] + (1 − λ) · x[partner(i)], with one λ of Beta(α, α) for the batch.
 *
 * @throws ValueError unless alpha is finite and above 0
 * @see Zhang et al., "mixup: Beyond empirical risk minimization", arXiv:1710.09412; MindSpore,
 *   `mindspore.dataset.vision.MixUpBatch`
 */
export const Mixup = defineBatchTransform('Mixup', (options: MixOptions = {}) => {
  const alpha = readAlpha('Mixup', options);
  return {
    alpha,
    /** @throws ShapeError if labels are class numbers; put `OneHot` before it */
    apply(batch: BatchArrays, generator: Generator): BatchArrays {
      const classes = classesOf('Mixup', batch);
      const { pixels, imageShape, labels } = batch;
      const [count] = imageShape;
      const weight = drawBeta(generator, alpha);
      const partners = generator.permutation(count);
      return {
        ...batch,
        pixels: mixWithPartners(pixels, pixels.length / count, partners, weight),
        labels: mixWithPartners(labels as Float32Array, classes, partners, weight),
      };
    },
  };
});
export type Mixup = InstanceType<typeof Mixup>;
