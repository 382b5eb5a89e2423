/** Root of the mean square, the size that errors are measured by. */
function rms(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return Math.sqrt(sum / Math.max(1, values.length));
}

/** The largest difference of two arrays as a share of the RMS of the second. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) {
    throw new Error(`${actual.length} elements, expected ${expected.length}`);
  }
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    // NaN must not pass as small.
    if (!(difference <= largest)) largest = difference;
  }
  const scale = rms(expected);
  return largest === 0 ? 0 : largest / (scale === 0 ? 1 : scale);
}
