import { softmax, type Tensor } from '@firelight/tensor';

/** A class by its number, and its probability. */
export interface RankedClass {
  readonly label: number;
  readonly share: number;
}

/** The classes of each row of logits `[N, classes]`, the most probable first. */
export function rankedClasses(logits: Tensor): RankedClass[][] {
  const [count, classes] = logits.shape;
  const { data } = softmax(logits, 1);
  return Array.from({ length: count }, (_, row) => {
    const shares = Array.from(data.subarray(row * classes, (row + 1) * classes));
    return shares.map((share, label) => ({ label, share })).sort((a, b) => b.share - a.share);
  });
}
