/** An eigenvalue of a symmetric matrix, and its eigenvector of length 1. */
export interface EigenPair {
  readonly value: number;
  readonly vector: Float64Array;
}

const MOST_SWEEPS = 50;

/**
 * All eigenvalues and eigenvectors of a small symmetric matrix, the largest value first: A v = λ v.
 * Jacobi's rotations, each of which makes one pair of entries off the diagonal zero, until all are.
 *
 * @param matrix n rows of n finite numbers; it is left as it is
 * @see Golub & Van Loan, Matrix Computations, section 8.5
 */
export function symmetricEigen(matrix: readonly ArrayLike<number>[]): EigenPair[] {
  const n = matrix.length;
  const sizes = matrix.flatMap((row) => Array.from(row, (entry) => Math.abs(entry)));
  const largest = sizes.reduce((most, entry) => Math.max(most, entry), 0);
  // Entries near 1, whose squares neither overflow nor vanish.
  const scale = largest === 0 ? 1 : largest;
  const a = matrix.map((row) => Float64Array.from(row, (entry) => entry / scale));
  /** Row i becomes the eigenvector of the value a[i][i]. */
  const vectors = a.map((_, i) => Float64Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
  const size = a.reduce((sum, row) => sum + sumOfSquares(row, 0), 0);
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    const off = a.reduce((sum, row, i) => sum + sumOfSquares(row, i + 1), 0);
    if (off <= size * Number.EPSILON ** 2) break;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) if (a[p][q] !== 0) rotate(a, vectors, p, q);
    }
  }
  return vectors
    .map((vector, i) => ({ value: scale * a[i][i], vector }))
    .sort((one, other) => other.value - one.value);
}

function sumOfSquares(row: Float64Array, from: number): number {
  return row.subarray(from).reduce((sum, value) => sum + value * value, 0);
}

/** Turns the plane of axes p and q so that a[p][q] becomes 0. */
function rotate(a: Float64Array[], vectors: Float64Array[], p: number, q: number): void {
  const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cosine = 1 / Math.hypot(tangent, 1);
  const sine = tangent * cosine;
  turnRows(a[p], a[q], cosine, sine);
  for (const row of a) {
    const [atP, atQ] = [row[p], row[q]];
    row[p] = cosine * atP - sine * atQ;
    row[q] = sine * atP + cosine * atQ;
  }
  // Exactly, lest rounding keep it from ever ending.
  a[p][q] = 0;
  a[q][p] = 0;
  turnRows(vectors[p], vectors[q], cosine, sine);
}

function turnRows(p: Float64Array, q: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < p.length; i++) {
    const [atP, atQ] = [p[i], q[i]];
    p[i] = cosine * atP - sine * atQ;
    q[i] = sine * atP + cosine * atQ;
  }
}
