import { formatShape, ShapeError, type Tensor, ValueError } from '@firelight/tensor';

/** Class of each sample of a batch: the true one, and what the network gave. */
export interface ClassBatch {
  readonly count: number;
  readonly numClasses: number;
  /** Row by row. */
  readonly logits: ArrayLike<number>;
  readonly labels: Int32Array;
}

/** The first index of the largest of `count` values from `start` on. */
export function argmaxOf(values: ArrayLike<number>, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[start + i] > values[start + best]) best = i;
  return best;
}

/**
 * Reads a batch of logits `[N, C]` with labels `[N]` (class numbers) or `[N, C]` (probabilities, of
 * which the largest counts).
 *
 * @throws ShapeError for other shapes, ValueError for a class number outside [0, C)
 */
export function readClasses(metric: string, logits: Tensor, labels: Tensor): ClassBatch {
  const [count, numClasses] = logits.shape;
  const isSparse = labels.rank === 1 && labels.shape[0] === count;
  const isDense = formatShape(labels.shape) === formatShape(logits.shape);
  if (logits.rank !== 2 || !(isSparse || isDense)) {
    throw new ShapeError(
      `${metric}: logits must be [N, C] and labels [N] or [N, C], got ` +
        `${formatShape(logits.shape)} and ${formatShape(labels.shape)}`,
    );
  }
  const { data } = labels.array;
  const classes = isSparse
    ? Int32Array.from(data)
    : Int32Array.from({ length: count }, (_, i) => argmaxOf(data, i * numClasses, numClasses));
  const wrong = classes.find((label) => label < 0 || label >= numClasses);
  if (wrong !== undefined) {
    throw new ValueError(`${metric}: label ${wrong} is not one of ${numClasses} classes`);
  }
  return { count, numClasses, logits: logits.array.data, labels: classes };
}
