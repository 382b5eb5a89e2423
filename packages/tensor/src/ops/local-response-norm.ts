import type { Tensor } from '../autograd/tensor.ts';
import { expectFinite, expectInteger, readOptions } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import { add, div, mul, pow } from './arithmetic.ts';
import type { TensorLike } from './operands.ts';
import { pad } from './pad.ts';
import { floatingInput } from './promotion.ts';
import { slice } from './slice.ts';
import { square } from './square.ts';

/** How much neighbouring channels weigh. */
export interface LocalResponseNormOptions {
  /** 1e-4 by default. */
  readonly alpha?: number;
  /** 0.75 by default. */
  readonly beta?: number;
  /** 1 by default. */
  readonly k?: number;
}

/** Of each channel and as many before and behind it, where there are any. */
function sumsOfNeighbours(x: Tensor, before: number, behind: number): Tensor {
  const C = x.shape[1];
  // Farther away than all channels are none.
  const [first, last] = [Math.min(before, C), Math.min(behind, C)];
  const margins = x.shape.map((_, i) => (i === 1 ? ([first, last] as const) : ([0, 0] as const)));
  const padded = pad(x, margins);
  const shifts = Array.from({ length: first + last + 1 }, (_, i) => i);
  return add(shifts.map((shift) => slice(padded, [null, [shift, shift + C]])));
}

/**
 * Divides by the size of neighbouring channels: y[n, c] = x[n, c] / (k + alpha / size · Σ x[n, i]²)^beta,
 * i from c − ⌊size / 2⌋ to c + ⌊(size − 1) / 2⌋ where there are such channels.
 *
 * @param x `[N, C, ...]`
 * @param size how many channels count
 * @throws ShapeError for fewer than two axes; ValueError unless size is an integer ≥ 1 and options finite
 * @see Krizhevsky et al., NeurIPS 2012, section 3.3; torch.nn.functional.local_response_norm
 */
export function localResponseNorm(
  x: TensorLike,
  size: number,
  options: LocalResponseNormOptions = {},
): Tensor {
  const op = 'localResponseNorm';
  const { alpha = 1e-4, beta = 0.75, k = 1 } = readOptions(op, options, ['alpha', 'beta', 'k']);
  for (const [name, value] of Object.entries({ alpha, beta, k })) expectFinite(op, name, value);
  const input = floatingInput(op, x);
  if (input.rank < 2) throw shapeError(op, 'needs at least two axes [N, C, ...]', { x: input });
  expectInteger(op, 'size', size, 1);
  const sums = sumsOfNeighbours(square(input), Math.floor(size / 2), Math.floor((size - 1) / 2));
  return div(input, pow(add(mul(sums, alpha / size), k), beta));
}
