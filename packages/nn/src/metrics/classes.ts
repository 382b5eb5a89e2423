import { ShapeError, type TensorLike, ValueError } from '@firelight/tensor';
import { asAnyTensor, asTensor, formatShape, sameShape } from '@firelight/tensor/extend';
import { isAbove } from './compare.ts';

/** Class of each sample of a batch: the true one, and what the network gave. */
export interface ClassBatch {
  readonly count: number;
  readonly numClasses: number;
  /** Row by row. */
  readonly logits: ArrayLike<number>;
  readonly labels: Int32Array;
}

/** The first index of the largest of `count` values from `start` on; NaN is less than every number. */
function argmaxOf(values: ArrayLike<number>, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (isAbove(values[start + i], values[start + best])) best = i;
  return best;
}

/**
 * The class that the network gave a sample: that of the largest logit, the first on ties. Where all
 * logits are NaN it gave none, and the sample counts as taken for a class that is not its own (there
 * is none if there is but one class: then the number is out of range).
 */
export function predictedClass({ logits, labels, numClasses }: ClassBatch, sample: number): number {
  const start = sample * numClasses;
  const predicted = argmaxOf(logits, start, numClasses);
  if (!Number.isNaN(logits[start + predicted])) return predicted;
  return labels[sample] === 0 ? 1 : 0;
}

/**
 * Reads a batch of logits `[N, C]` with labels `[N]` (class numbers) or `[N, C]` (probabilities, of
 * which the largest counts).
 *
 * @throws ShapeError for other shapes, ValueError for a label that is not a class number in [0, C),
 *   DTypeError for what is no tensor
 */
export function readClasses(metric: string, logits: TensorLike, labels: TensorLike): ClassBatch {
  const scores = asTensor(metric, 'logits', logits);
  const targets = asAnyTensor(metric, 'labels', labels);
  const [count, numClasses] = scores.shape;
  const isSparse = targets.rank === 1 && targets.shape[0] === count;
  const isDense = sameShape(targets.shape, scores.shape);
  if (scores.rank !== 2 || !(isSparse || isDense)) {
    throw new ShapeError(
      `${metric}: logits must be [N, C] and labels [N] or [N, C], got ` +
        `${formatShape(scores.shape)} and ${formatShape(targets.shape)}`,
    );
  }
  const { data } = targets;
  const classes = Int32Array.from({ length: count }, (_, i) => {
    const at = isSparse ? i : i * numClasses + argmaxOf(data, i * numClasses, numClasses);
    const label = isSparse ? data[at] : at - i * numClasses;
    if (Number.isInteger(label) && label >= 0 && label < numClasses && !Number.isNaN(data[at])) {
      return label;
    }
    throw new ValueError(
      `${metric}: label ${isSparse ? label : data[at]} is not one of ${numClasses} classes`,
    );
  });
  return { count, numClasses, logits: scores.array.data, labels: classes };
}
