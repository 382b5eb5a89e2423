import { assign, mul, type Tensor, tidy } from '@firelight/tensor';
import { expectPositive } from '../core/checks.ts';

/** Squares of numbers in a sum beyond these bounds may have lost digits, or be 0 or infinite. */
const SAFE_SUM = { least: 1e-280, most: Number.MAX_VALUE };
/** A factor below this may be no float32, or one of few digits. */
const LEAST_FACTOR = 1e-30;

/**
 * Scales all gradients together so that their common L2 norm is at most `maxNorm`.
 *
 * @param parameters those without a gradient do not count, those listed twice count once
 * @param options `lossScale`: what the loss was multiplied with; norms are those of the gradients
 *   divided by it; 1 by default
 * @returns the norm before; where it is not finite the gradients are left as they are
 * @throws ValueError unless maxNorm and lossScale are > 0
 * @see Pascanu et al., "On the difficulty of training recurrent neural networks", 2013
 */
export function clipGradNorm(
  parameters: readonly Tensor[],
  maxNorm: number,
  { lossScale = 1 }: { readonly lossScale?: number } = {},
): number {
  for (const [name, value] of Object.entries({ maxNorm, lossScale })) {
    expectPositive('clipGradNorm', name, value);
  }
  const norm = gradNorm(parameters);
  clipTo(parameters, norm, maxNorm * lossScale);
  return norm / lossScale;
}

/** Brings gradients of a known norm down to a largest one. */
export function clipTo(parameters: readonly Tensor[], norm: number, maxNorm: number): void {
  if (norm > maxNorm && Number.isFinite(norm)) scaleGradients(parameters, maxNorm / norm);
}

/** Multiplies each gradient with one factor. */
export function scaleGradients(parameters: readonly Tensor[], factor: number): void {
  const factors = factor < LEAST_FACTOR ? [Math.sqrt(factor), Math.sqrt(factor)] : [factor];
  tidy(() => {
    for (const gradient of gradientsOf(parameters)) {
      for (const each of factors) assign(gradient, mul(gradient, each));
    }
  });
}

/**
 * L2 norm of all gradients together, in double precision; it does not overflow or underflow where
 * the elements do not. It is not finite only if an element is not (or the norm is beyond float64).
 */
export function gradNorm(parameters: readonly Tensor[]): number {
  const gradients = gradientsOf(parameters).map(({ array }) => array.data);
  const total = gradients.reduce((sum, gradient) => sum + sumOfSquares(gradient), 0);
  if (total >= SAFE_SUM.least && total <= SAFE_SUM.most) return Math.sqrt(total);
  const largest = gradients.reduce((most, gradient) => Math.max(most, largestSize(gradient)), 0);
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  const shares = gradients.map((gradient) => Float64Array.from(gradient, (x) => x / largest));
  return largest * Math.sqrt(shares.reduce((sum, share) => sum + sumOfSquares(share), 0));
}

function gradientsOf(parameters: readonly Tensor[]): Tensor[] {
  return [...new Set(parameters)].flatMap(({ grad }) => (grad === null ? [] : [grad]));
}

/** Four sums side by side, so that an addition need not wait for the one before. */
function sumOfSquares(values: ArrayLike<number>): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += values[i] * values[i];
    b += values[i + 1] * values[i + 1];
    c += values[i + 2] * values[i + 2];
    d += values[i + 3] * values[i + 3];
  }
  for (let i = whole; i < values.length; i++) a += values[i] * values[i];
  return a + b + c + d;
}

/** The largest |x|; NaN if any is. */
function largestSize(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most;
}
