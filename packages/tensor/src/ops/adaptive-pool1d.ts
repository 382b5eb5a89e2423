import type { Tensor } from '../autograd/tensor.ts';
import { expectShape } from '../core/checks.ts';
import { adaptiveAvgPool2d, adaptiveMaxPool2d } from './adaptive-pool2d.ts';
import type { TensorLike } from './operands.ts';
import {
  along,
  asImages,
  asSequences,
  expectFits,
  floatSequences,
  sequences,
} from './sequences.ts';

/**
 * Mean of each of L′ windows that cover the sequence; see `adaptiveAvgPool2d`.
 *
 * @param x `[N, C, L]`
 * @param outputSize L′
 * @returns `[N, C, L']`
 * @throws ShapeError unless `x` has 3 axes and L ≥ 1; ValueError unless L′ is an integer ≥ 1
 * @see torch.nn.AdaptiveAvgPool1d
 */
export function adaptiveAvgPool1d(x: TensorLike, outputSize: number): Tensor {
  const op = 'adaptiveAvgPool1d';
  return adaptivePool(op, floatSequences(op, x), outputSize, adaptiveAvgPool2d);
}

/**
 * Largest element of each of L′ windows that cover the sequence; see `adaptiveMaxPool2d`.
 *
 * @param x `[N, C, L]` of any dtype
 * @param outputSize L′
 * @returns `[N, C, L']`
 * @throws ShapeError unless `x` has 3 axes and L ≥ 1; ValueError unless L′ is an integer ≥ 1
 * @see torch.nn.AdaptiveMaxPool1d
 */
export function adaptiveMaxPool1d(x: TensorLike, outputSize: number): Tensor {
  const op = 'adaptiveMaxPool1d';
  return adaptivePool(op, sequences(op, x), outputSize, adaptiveMaxPool2d);
}

function adaptivePool(
  op: string,
  input: Tensor,
  outputSize: number,
  run: typeof adaptiveAvgPool2d,
): Tensor {
  const size = along(op, 'outputSize', outputSize);
  expectFits(op, input, 1, 0);
  expectShape(op, [input.shape[0], input.shape[1], outputSize]);
  return asSequences(run(asImages(input), size));
}
