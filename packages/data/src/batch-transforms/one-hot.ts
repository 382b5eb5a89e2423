import { ShapeError, ValueError } from '@firelight/tensor';
import { expectInteger, expectThat, newTypedArray } from '@firelight/tensor/extend';
import { expectOptions } from '../core/check.ts';
import { type BatchArrays, defineBatchTransform } from './batch-transform.ts';

/**
 * Class numbers `[N]` to probabilities `[N, classes]`: 1 − ε + ε / classes for the class and
 * ε / classes for the others, where ε is `smoothing`.
 *
 * @throws ValueError unless `classes` is an integer ≥ 1 and `smoothing` in [0, 1)
 * @see MindSpore, `mindspore.dataset.transforms.OneHot`; Szegedy et al., arXiv:1512.00567, for ε
 */
export const OneHot = defineBatchTransform(
  'OneHot',
  (classes: number, options: { readonly smoothing?: number } = {}) => {
    const { smoothing = 0 } = expectOptions('OneHot', options);
    const isShare = typeof smoothing === 'number' && smoothing >= 0 && smoothing < 1;
    expectInteger('OneHot', 'classes', classes, 1);
    expectThat(isShare, 'OneHot', 'smoothing', 'in [0, 1)', smoothing);
    return {
      classes,
      smoothing,
      /** @throws ShapeError if labels are probabilities already, ValueError if one is no class */
      apply(batch: BatchArrays): BatchArrays {
        const { labels, labelShape } = batch;
        if (labelShape.length !== 1) {
          throw new ShapeError(
            `OneHot: labels must be class numbers [N], got [${labelShape.join(', ')}]; apply it once`,
          );
        }
        const probabilities = newTypedArray('float32', labels.length * classes);
        probabilities.fill(smoothing / classes);
        for (const [sample, label] of labels.entries()) {
          if (label < 0 || label >= classes) {
            throw new ValueError(`OneHot: label ${label} is not in 0 to ${classes - 1}`);
          }
          probabilities[sample * classes + label] = 1 - smoothing + smoothing / classes;
        }
        return { ...batch, labels: probabilities, labelShape: [labels.length, classes] };
      },
    };
  },
);
export type OneHot = InstanceType<typeof OneHot>;
