import type { Shape } from '@firelight/tensor';

/** A length of an axis: a number, or a multiple of the length of the batch. */
export type Dim = number | { readonly batches: number };

/** Lengths of two batches that a network is run with; a length that follows them tells itself by both. */
export const BATCHES = [2, 3] as const;

/** Lengths of an axis in both runs as one; null if it follows the batch in another way. */
function dimOf(first: number, second: number): Dim | null {
  if (first === second) return first;
  const batches = first / BATCHES[0];
  return batches === second / BATCHES[1] && Number.isInteger(batches) ? { batches } : null;
}

/** A shape of both runs as one; null if they are not alike. */
export function dimsOf(first: Shape, second: Shape): Dim[] | null {
  if (first.length !== second.length) return null;
  const dims: Dim[] = [];
  for (const [i, length] of first.entries()) {
    const dim = dimOf(length, second[i]);
    if (dim === null) return null;
    dims.push(dim);
  }
  return dims;
}

export function sameDim(a: Dim, b: Dim): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  return a.batches === b.batches;
}

/** How a file names a length: a number, `batch`, or `2*batch`. */
export function nameOfDim(dim: Dim): number | string {
  if (typeof dim === 'number') return dim;
  return dim.batches === 1 ? 'batch' : `${dim.batches}*batch`;
}
