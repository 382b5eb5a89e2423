/** Most turns; the sorted values of a layer settle in far fewer. */
const MOST_TURNS = 300;

/**
 * At most k numbers, in rising order, near which all values are: k-means of numbers by Lloyd's algorithm.
 * The centroids start at even distances from the least value to the largest, where large weights, which
 * are few, get some of their own. One without values, as pruned weights have none around 0, goes where the
 * error is largest. Values that are at most k different ones are their own centroids.
 *
 * @param values finite
 * @see Han et al., "Deep Compression", arXiv:1510.00149, section 3.2: linear initialization
 */
export function kMeans(values: ArrayLike<number>, k: number): Float64Array {
  const sorted = Float64Array.from(values).sort();
  const distinct = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
  if (distinct.length <= k) return distinct;
  const sums = new RangeSums(sorted);
  const [least, largest] = [sorted[0], sorted[sorted.length - 1]];
  let centroids: ArrayLike<number> = Float64Array.from({ length: k }, (_, i) =>
    k === 1 ? (least + largest) / 2 : least + ((largest - least) * i) / (k - 1),
  );
  let clusters: Cluster[] = [];
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const next = clustersOf(sorted, centroids);
    const isSettled =
      next.length === k && next.every(({ start }, i) => start === clusters[i]?.start);
    clusters = next;
    if (isSettled) break;
    while (clusters.length < k) clusters = splitWorst(sorted, sums, clusters);
    centroids = clusters.map((cluster) => sums.mean(cluster));
  }
  return Float64Array.from(clusters, (cluster) => sums.mean(cluster));
}

/** Values from `start` to before `end` of the sorted ones. */
interface Cluster {
  readonly start: number;
  readonly end: number;
}

/** The values that are nearest to each centroid, without those that have none. */
function clustersOf(sorted: Float64Array, centroids: ArrayLike<number>): Cluster[] {
  const clusters: Cluster[] = [];
  let start = 0;
  for (let i = 1; i <= centroids.length; i++) {
    const isLast = i === centroids.length;
    const end = isLast ? sorted.length : firstAbove(sorted, (centroids[i - 1] + centroids[i]) / 2);
    if (end > start) clusters.push({ start, end });
    start = Math.max(start, end);
  }
  return clusters;
}

/** Two clusters in place of the one with the largest error. */
function splitWorst(
  sorted: Float64Array,
  sums: RangeSums,
  clusters: readonly Cluster[],
): Cluster[] {
  const errors = clusters.map((cluster) => sums.error(cluster));
  const worst = errors.indexOf(errors.reduce((most, error) => Math.max(most, error)));
  const { start, end } = clusters[worst];
  const above = firstAbove(sorted, sums.mean(clusters[worst]));
  // Rounding may put the mean of almost equal values beside all of them.
  const middle = above > start && above < end ? above : start + 1;
  return clusters.toSpliced(worst, 1, { start, end: middle }, { start: middle, end });
}

/** Sums of any range of values. */
class RangeSums {
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;

  constructor(values: Float64Array) {
    this.#sums = new Float64Array(values.length + 1);
    this.#squares = new Float64Array(values.length + 1);
    values.forEach((value, i) => {
      this.#sums[i + 1] = this.#sums[i] + value;
      this.#squares[i + 1] = this.#squares[i] + value * value;
    });
  }

  mean({ start, end }: Cluster): number {
    return (this.#sums[end] - this.#sums[start]) / (end - start);
  }

  /** The sum of squared distances to the mean; 0 of a single value, whatever rounding says. */
  error({ start, end }: Cluster): number {
    if (end - start < 2) return -1;
    const sum = this.#sums[end] - this.#sums[start];
    return this.#squares[end] - this.#squares[start] - (sum * sum) / (end - start);
  }
}

/** The index of the first value above a bound, or the number of values. */
function firstAbove(sorted: ArrayLike<number>, bound: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The index of the nearest centroid of each value; of two as near, the lower. */
export function nearestOf(values: ArrayLike<number>, centroids: Float64Array): Uint16Array {
  const bounds = centroids.subarray(1).map((centroid, i) => (centroids[i] + centroid) / 2);
  return Uint16Array.from(values, (value) => {
    let [low, high] = [0, bounds.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bounds[middle] >= value) high = middle;
      else low = middle + 1;
    }
    return low;
  });
}
