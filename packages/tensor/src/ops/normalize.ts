import type { Tensor } from '../autograd/tensor.ts';
import { expectThat, readOptions } from '../core/checks.ts';
import { div, maximum } from './arithmetic.ts';
import type { TensorLike } from './operands.ts';
import { floatingInput } from './promotion.ts';
import type { AxisOption } from './reduce.ts';
import { lengthOf } from './statistics.ts';

/** Which length becomes 1, and over which axes it is taken. */
export interface NormalizeOptions {
  /** The order of the length, as of `norm`; 2 by default. */
  readonly ord?: number;
  /** One axis or several; the last by default. */
  readonly axis?: AxisOption;
  /** The least that is divided by; 1e-12 by default. */
  readonly epsilon?: number;
}

/**
 * y = x / max(‖x‖, ε) over the given axes: vectors of length 1, but those of length 0 stay.
 *
 * @throws ValueError unless `ord` is a number and `epsilon` one ≥ 0; ValueError or ShapeError if an axis does
 *   not exist, is named twice, or is empty where `ord` is infinite
 * @see torch.nn.functional.normalize, ONNX LpNormalization
 */
export function normalize(x: TensorLike, options: NormalizeOptions = {}): Tensor {
  const known = ['ord', 'axis', 'epsilon'] as const;
  const { ord = 2, axis = -1, epsilon = 1e-12 } = readOptions('normalize', options, known);
  const isEpsilon = Number.isFinite(epsilon) && epsilon >= 0;
  expectThat(isEpsilon, 'normalize', 'epsilon', 'a finite number ≥ 0', epsilon);
  const input = floatingInput('normalize', x);
  const length = lengthOf('normalize', input, { ord, axis, keepDims: true });
  return div(input, maximum(length, epsilon));
}
