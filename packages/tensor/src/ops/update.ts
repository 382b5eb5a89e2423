import { Tensor } from '../autograd/tensor.ts';
import { tidy } from '../autograd/tidy.ts';
import type { MomentumOptions } from '../backend/kernels.ts';
import { kernels } from '../backend/registry.ts';
import { shapeError } from '../core/errors.ts';
import { sameShape } from '../core/shape.ts';
import { full, type TensorData, tensor } from './create.ts';
import { reshape } from './reshape.ts';

/**
 * Operations that write into a tensor in place, for optimizers and for loading. They are not
 * recorded for `backward()`, which throws if it needs the elements as they were before.
 */

/** A number for every element, nested arrays, or as many elements in row-major order. */
function valuesFor({ shape, size, dtype }: Tensor, source: TensorData): Tensor {
  if (typeof source === 'number' || typeof source === 'boolean') {
    return full(shape, Number(source), { dtype });
  }
  const values = tensor(source, { dtype });
  return values.rank === 1 && values.size === size ? reshape(values, shape) : values;
}

/**
 * target ← source: writes into a tensor, and into those that share its memory (by `reshape`,
 * `detach`, `stateDict`).
 *
 * @param source a tensor; a number for all elements; nested arrays of the same shape; or a flat
 *   list or typed array of the same size, in row-major order
 * @throws ShapeError if the shapes differ
 */
export function assign(target: Tensor, source: Tensor | TensorData): void {
  if (!(source instanceof Tensor)) {
    tidy(() => assign(target, valuesFor(target, source)));
    return;
  }
  if (!sameShape(target.shape, source.shape)) {
    throw shapeError('assign', 'shapes must be equal', { target, source });
  }
  kernels().blend(target.array, source.array, { keep: 0, add: 1 });
}

/**
 * One step of gradient descent with momentum, in the order of MindSpore's Momentum:
 *
 * g ← (grad + weightDecay · lossScale · w) / lossScale, v ← momentum · v + g,
 * w ← w − learningRate · v, or w − learningRate · (g + momentum · v) with `nesterov`.
 *
 * @throws ShapeError if the shapes of parameter, velocity and gradient differ
 * @see mindspore/nn/optim/momentum.py
 */
export function momentumStep(
  parameter: Tensor,
  velocity: Tensor,
  gradient: Tensor,
  options: MomentumOptions,
): void {
  if (!sameShape(parameter.shape, velocity.shape) || !sameShape(parameter.shape, gradient.shape)) {
    throw shapeError('momentumStep', 'shapes must be equal', { parameter, velocity, gradient });
  }
  kernels().momentumStep(parameter.array, velocity.array, gradient.array, options);
}
